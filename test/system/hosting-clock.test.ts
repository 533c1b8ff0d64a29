import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePublicKey, parseToken } from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readJournal } from '../auditor/auditor.js';
import { Site } from './site.js';
import { until } from './waiting.js';

const HOUR_MS = 3_600_000;
let site: Site;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 10 });
  await site.grant({ seats: 2, share: 'process', borrow: { max: '30d', seats: 2 } });
}, 120_000);

afterAll(() => site?.close());

const run = ['run', '--product', 'render', '--', 'true'] as const;

/** The number of a metric, as Prometheus would read it. */
async function metric(name: string): Promise<number> {
  const { body } = await site.http('/metrics');
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(body)?.[1] ?? Number.NaN);
}

describe('a clock behind what was seen', () => {
  test('is said everywhere, and ended by an admin', async () => {
    await site.kill();
    await site.serve([], 9 * HOUR_MS);
    expect((await site.berth(site.owner, run)).code).toBe(0);
    await site.kill();
    await site.serve();
    const refused = await site.berth(site.owner, run);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('berth: CLOCK_BEHIND ')]);
    expect(refused.stderr).toContain('berth clock accept');

    const ready = await site.http('/readyz');
    expect([ready.status, JSON.parse(ready.body)]).toMatchObject([200, { warnings: ['CLOCK_BEHIND'] }]);
    expect(await metric('berth_clock_trusted')).toBe(0);
    expect(await metric('berth_clock_behind_seconds')).toBeGreaterThan(8 * 3600);
    await until('the log to say it', () => site.server!.stdout.includes('"code":"CLOCK_BEHIND"'));
    expect((await site.berthOk(site.owner, ['status'])).stderr).toContain('berth clock accept');
    expect((await site.berthOk(site.owner, ['clock', 'show', '--json'])).json.clock.state).toBe('behind');

    const accepted = await site.berthOk(site.owner, ['clock', 'accept', '--yes', '--json']);
    expect(accepted.json).toMatchObject({ changed: true, before: { state: 'behind' } });
    expect((await site.berth(site.owner, run)).code).toBe(0);
    expect(JSON.parse((await site.http('/readyz')).body).warnings).toEqual([]);
    expect(await metric('berth_clock_trusted')).toBe(1);
    const again = await site.berthOk(site.owner, ['clock', 'accept', '--json']);
    expect(again.json).toMatchObject({ changed: false, before: { state: 'trusted' } });
  });

  test('a viewer may look and may not accept', async () => {
    const viewer = site.person('eva@studio.example');
    await site.joinWith(viewer, await site.invite(viewer.email, '--role', 'viewer'));
    expect((await site.berthOk(viewer, ['clock', 'show', '--json'])).json.clock.state).toBe('trusted');
    await site.kill();
    await site.serve([], -2 * HOUR_MS);
    const refused = await site.berth(viewer, ['clock', 'accept', '--yes', '--json']);
    expect([refused.code, refused.json.error.code]).toEqual([4, 'NOT_ALLOWED']);
    await site.berthOk(site.owner, ['clock', 'accept', '--yes']);
  });
});

/** When the checkpoints in the journal of a stopped server were signed, each proved with its public key alone. */
function checkpointTimes(): number[] {
  const changes = readJournal(site.data).records.flatMap((record) => record.changes);
  return changes.flatMap((change) => {
    if (change.type !== 'journal.checkpoint') return [];
    const parsed = parseToken('checkpoint', String(change.token));
    if (!parsed.ok) throw new Error(parsed.fault);
    const { signed, signature, claims } = parsed.token;
    expect(nativeVerify(parsePublicKey(site.serverKey)!, signed, signature)).toBe(true);
    return [claims.iat * 1000];
  });
}

describe('a clock that jumps ahead while the server runs', () => {
  test('ends no borrow until it is accepted; then it does, and the journal names who did it', async () => {
    await site.kill();
    // Not 0: the skew is only loaded when there is one.
    const server = await site.serve([], 1);
    const borrower = (await site.hire('bo@studio.example'))[0]!;
    await site.berthOk(borrower, ['borrow', 'take', '--product', 'render', '--for', '1h']);
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
    await writeFile(join(site.folder, 'skew'), String(5 * HOUR_MS));
    server.signal('SIGUSR2');
    await until('the log to say it', () => server.stdout.includes('"code":"CLOCK_AHEAD"'));
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
    const shown = (await site.berthOk(site.owner, ['clock', 'show', '--json'])).json;
    expect(shown).toMatchObject({ clock: { state: 'ahead' }, borrowsThatEnd: 1, entitlementsThatEnd: 0 });
    expect(await metric('berth_clock_ahead_seconds')).toBeGreaterThan(4 * 3600);

    await site.berthOk(site.owner, ['clock', 'accept', '--yes']);
    await until('the borrow to end', async () => (await site.pool()).borrowed === 0);
    expect(JSON.parse((await site.http('/readyz')).body).warnings).toEqual([]);
    await site.stop();
    expect(JSON.stringify(readJournal(site.data))).toContain('"type":"clock.accepted"');
    // An hour has passed by the clock of the running server: it signed once more, by itself, as it does every hour.
    const laterMs = checkpointTimes().map((ms) => ms - Date.now() - 5 * HOUR_MS);
    expect(laterMs.filter((ms) => Math.abs(ms) < 600_000)).toHaveLength(1);
  });
});

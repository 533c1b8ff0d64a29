import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, type Person, type Ran, Site } from './site.js';

// A machine that never reaches the server: files go to and fro. Each test a chapter: they run in order.

let site: Site;
let cave: Person;
let other: Person;

beforeAll(async () => {
  site = await Site.open();
  await site.grant({ seats: 2, share: 'process', borrow: { max: '9h', seats: 2 }, id: 'ent-render' });
  await site.hire('anna@studio.example');
  [cave, other] = [site.person('cave@nowhere.example'), site.person('other@nowhere.example')];
}, 120_000);

afterAll(() => site?.close());

const file = (name: string): string => join(site.folder, name);
/** On a machine whose every server is a wrong one. */
const offline = (who: Person, ...words: string[]): Promise<Ran> =>
  site.berth(who, words, { env: { BERTH_SERVERS: '127.0.0.1:9' } });
const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const request = (who: Person, out: string): Promise<Ran> =>
  offline(who, 'borrow', 'request', '--product', 'render', '--for', '3h', '--out', out, '--json');
const install = (who: Person, from: string): Promise<Ran> =>
  offline(who, 'borrow', 'install', from, '--vendor-key', site.vendorKey, '--json');
const run = (who: Person): Promise<Ran> =>
  offline(who, 'run', '--product', 'render', '--vendor-key', site.vendorKey, '--', 'echo', 'ran');
const codeOf = ({ code, json }: Ran): unknown => [code, json.error?.code];

describe('asking', () => {
  test('needs no server and no context, and tells nobody a secret', async () => {
    const { code, json, stderr } = await request(cave, file('request.json'));
    expect([code, stderr]).toEqual([0, expect.stringContaining('borrow grant')]);
    expect(json).toMatchObject({ context: 'airgap', product: 'render', seats: 1, seconds: 10_800 });
    const text = await readFile(file('request.json'), 'utf8');
    expect(text).not.toContain('ed25519-secret');
    expect((await stat(file('request.json'))).mode & 0o777).toBe(0o600);
    expect((await request(cave, file('request.json'))).json.error.code).toBe('FILE_EXISTS');
    expect((await run(cave)).code).not.toBe(0);
  });

  test('what was changed, is no request, or is of nobody is refused, and takes no seat', async () => {
    const good = JSON.parse(await readFile(file('request.json'), 'utf8')) as { token: string };
    const [header, payload, signature] = good.token.split('.');
    const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString());
    const more = Buffer.from(JSON.stringify({ ...claims, seats: 2 })).toString('base64url');
    const cases: [string, string, string][] = [
      ['forged', JSON.stringify({ ...good, token: `${header}.${more}.${signature}` }), 'SIGNATURE_INVALID'],
      ['member', JSON.stringify({ ...good, extra: 1 }), 'BORROW_FILE_INVALID'],
      ['version', JSON.stringify({ ...good, version: 2 }), 'BORROW_FILE_INVALID'],
      ['nonsense', 'nonsense', 'BORROW_FILE_INVALID'],
      ['long', ' '.repeat(700_000), 'BORROW_FILE_INVALID'],
    ];
    for (const [name, text, code] of cases) {
      await writeFile(file(name), text);
      const words = [
        'borrow',
        'grant',
        file(name),
        '--out',
        file('never.json'),
        '--user',
        'anna@studio.example',
      ];
      expect((await owner(...words)).json.error.code, name).toBe(code);
    }
    const ofNobody = await owner('borrow', 'grant', file('request.json'), '--out', file('never.json'));
    expect(ofNobody.json.error.code).toBe('DEVICE_UNKNOWN');
    await expect(stat(file('never.json'))).rejects.toThrow();
    expect(await site.pool()).toMatchObject({ borrowed: 0 });
  });
});

describe('granting', () => {
  const grant = (out: string): Promise<Ran> =>
    owner('borrow', 'grant', file('request.json'), '--out', file(out), '--user', 'anna@studio.example');

  test('--dry-run: what would be lent to whom, and nothing is written, lent or enrolled', async () => {
    const words = ['borrow', 'grant', file('request.json'), '--dry-run'];
    const devices = async () => (await owner('user', 'devices', 'anna@studio.example')).json.items.length;
    const before = await devices();
    const would = await owner(...words, '--user', 'anna@studio.example', '--out', file('never.json'));
    expect([would.code, would.json]).toMatchObject([
      0,
      { dryRun: true, product: 'render', seats: 1, device: { enrols: true } },
    ]);
    expect(would.json.user.email).toBe('anna@studio.example');
    expect(codeOf(await owner(...words))).toEqual([4, 'DEVICE_UNKNOWN']);
    await expect(stat(file('never.json'))).rejects.toThrow();
    expect(await site.pool()).toMatchObject({ borrowed: 0 });
    expect(await devices()).toBe(before);
  });

  test('enrols the machine for the user and lends the seat; the same file again is no second one', async () => {
    const { code, json } = await grant('grant.json');
    expect([code, json.user.email, json.product]).toEqual([0, 'anna@studio.example', 'render']);
    await site.kill();
    await site.serve();
    const again = await grant('grant-2.json');
    expect(again.json.leases).toEqual(json.leases);
    const ahead = await owner('borrow', 'grant', file('request.json'), '--dry-run');
    expect([ahead.code, ahead.json]).toMatchObject([
      0,
      { freeAtMs: json.freeAtMs, device: { enrols: false } },
    ]);
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
    const { items } = (await owner('lease', 'list')).json;
    expect(items).toMatchObject([{ kind: 'borrow', user: 'anna@studio.example' }]);
  });

  test('a grant is refused on another machine, changed, or by the key of another vendor', async () => {
    await request(other, file('request-other.json'));
    expect(codeOf(await install(other, file('grant.json')))).toEqual([4, 'GRANT_FOREIGN']);
    const good = JSON.parse(await readFile(file('grant.json'), 'utf8')) as { leases: string[] };
    const [lease] = good.leases;
    const flipped = lease!.endsWith('A') ? `${lease!.slice(0, -4)}BBBA` : `${lease!.slice(0, -4)}AAAA`;
    await writeFile(file('flipped'), JSON.stringify({ ...good, leases: [flipped] }));
    expect(codeOf(await install(cave, file('flipped')))).toEqual([4, 'TOKEN_INVALID']);
    const stranger = (
      await site.berthOk(site.owner, ['vendor', 'keygen', '--out', file('stranger'), '--json'])
    ).json.publicKey;
    const words = ['borrow', 'install', file('grant.json'), '--vendor-key', stranger, '--json'];
    expect(codeOf(await offline(cave, ...words))).toEqual([4, 'TOKEN_INVALID']);
    expect((await run(cave)).code).not.toBe(0);
  });
});

describe('using', () => {
  test('installed, the seat works without any server; installed again nothing changes', async () => {
    const { code, json } = await install(cave, file('grant.json'));
    expect([code, json.borrow?.state]).toEqual([0, 'valid']);
    expect((await install(cave, file('grant-2.json'))).json.borrow.id).toBe(json.borrow.id);
    const ran = await run(cave);
    expect([ran.code, ran.stdout]).toEqual([0, 'ran\n']);
    const { items } = (await offline(cave, 'borrow', 'list', '--vendor-key', site.vendorKey, '--json')).json;
    expect(items).toMatchObject([{ product: 'render', state: 'valid', fault: null }]);
  });

  test('I8: the user cannot be removed meanwhile', async () => {
    expect(codeOf(await owner('user', 'remove', 'anna@studio.example', '--yes'))).toEqual([8, 'BORROWED']);
  });
});

describe('returning', () => {
  test('in a file: from then on it is not used; a lost file is written again', async () => {
    const { code } = await offline(cave, 'borrow', 'return', '--out', file('return-lost.json'), '--json');
    expect(code).toBe(0);
    expect((await run(cave)).code).not.toBe(0);
    const again = await offline(cave, 'borrow', 'return', '--out', file('return.json'), '--json');
    expect(again.code).toBe(0);
    const stops = async (name: string): Promise<Json> => JSON.parse(await readFile(file(name), 'utf8')).stops;
    expect(await stops('return.json')).toEqual(await stops('return-lost.json'));
    expect(codeOf(await install(cave, file('grant.json')))).toEqual([4, 'GRANT_FOREIGN']);
    expect(await site.pool()).toMatchObject({ borrowed: 1 });
  });

  test('accepted, the seat is free at once; accepted again, nothing happens', async () => {
    const stops = JSON.parse(await readFile(file('return.json'), 'utf8'));
    const key = JSON.parse(
      Buffer.from(
        JSON.parse(await readFile(file('request-other.json'), 'utf8')).token.split('.')[1],
        'base64url',
      ).toString(),
    ).dev;
    await writeFile(file('return-forged'), JSON.stringify({ ...stops, device: key }));
    expect(codeOf(await owner('borrow', 'accept-return', file('return-forged')))).toEqual([
      4,
      'STOP_INVALID',
    ]);
    const dryRun = (name: string) => owner('borrow', 'accept-return', file(name), '--dry-run');
    expect(codeOf(await dryRun('return-forged'))).toEqual([4, 'STOP_INVALID']);
    const would = (await dryRun('return.json')).json;
    expect(would).toMatchObject({ dryRun: true, items: [{}] });
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
    const { items } = (await owner('borrow', 'accept-return', file('return.json'))).json;
    expect(items.map(({ lease }: { lease: string }) => lease)).toEqual([would.items[0].lease]);
    expect(await site.pool()).toMatchObject({ borrowed: 0, free: 2 });
    // `grant` knows a return by its type.
    expect((await owner('borrow', 'grant', file('return.json'))).code).toBe(0);
    expect((await owner('borrow', 'accept-return', file('grant.json'))).json.error.code).toBe(
      'BORROW_FILE_INVALID',
    );
  });

  test('the machine asks anew, known by its key now', async () => {
    await request(cave, file('request-3.json'));
    const { code, json } = await owner(
      'borrow',
      'grant',
      file('request-3.json'),
      '--out',
      file('grant-3.json'),
    );
    expect([code, json.user.email]).toEqual([0, 'anna@studio.example']);
    expect((await install(cave, file('grant-3.json'))).code).toBe(0);
    expect((await run(cave)).stdout).toBe('ran\n');
    expect(await site.pool()).toMatchObject({ borrowed: 1, free: 1 });
  });
});

test('the auditor has nothing to say', async () => {
  await site.stop();
  expect((await site.check()).json).toMatchObject({ ok: true });
  expect(site.audit().findings).toEqual([]);
});

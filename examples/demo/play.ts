import { strict as assert } from 'node:assert';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Actor } from './actor.js';
import { firstPeople } from './people.js';
import { expectPool, OWNER, PRODUCT, poolOf } from './pool.js';
import { type Line, until } from './running.js';
import { LEASE_SECONDS, type Stage } from './stage.js';

/** Says what happened and what was seen; called once a step, when it held. */
export type Tell = (what: string, seen: string) => void;

/** W of a lease (DESIGN I2), and some time for a slow machine. */
const WINDOW_MS = (LEASE_SECONDS * 1000 * 1001) / 999 + 10_000;
const PATIENCE_MS = 15_000;

/** The steps of issue 2's main job. Each looks at what really happened and throws when it is not what it should be. */
export async function play(stage: Stage, tell: Tell): Promise<void> {
  const vendorKey = await vendorAndServer(stage, tell);
  const people = await invite(stage, tell);
  const plugins = await fourPluginsForThreeSeats(stage, tell, people, vendorKey);
  const left = await killPlugin(stage, tell, plugins);
  await killServer(stage, tell, left);
  await release(stage, tell, left);
  const borrower = people[3]!;
  await assignAndBorrow(stage, tell, borrower, vendorKey);
  await verifyOffline(stage, tell, borrower, vendorKey);
  await revokeAfterReturn(stage, tell, borrower);
  await stop(stage, tell);
}

async function vendorAndServer(stage: Stage, tell: Tell): Promise<string> {
  const vendor = join(stage.folder, 'vendor');
  const [{ publicKey }, founded] = await Promise.all([
    stage.must(OWNER, 'vendor', 'keygen', '--out', vendor),
    stage.berthd(
      'init',
      '--data',
      stage.data,
      '--owner',
      OWNER,
      '--name',
      'Studio',
      '--listen',
      `127.0.0.1:${stage.port}`,
    ),
  ]);
  const { mode } = await stat(join(vendor, 'vendor.key'));
  assert.equal(mode & 0o777, 0o600, 'vendor.key is for its owner only');
  tell('The vendor makes its keys', `vendor.key (0600) and ${publicKey}`);
  await stage.serve();
  tell('berthd init and serve in a temporary folder', `${founded.serverId} is ready on port ${stage.port}`);
  const joined = await stage.must(OWNER, 'join', String(founded.link));
  tell(
    'The owner joins with the link that init printed',
    `${emailOf(joined)}, scopes ${String(joined.scopes)}`,
  );
  const request = await stage.must(OWNER, 'entitlement', 'request');
  assert.equal(request.serverKey, founded.serverKey);
  await issueAndImport(stage, tell, vendor, JSON.stringify(request));
  return String(publicKey);
}

async function issueAndImport(stage: Stage, tell: Tell, vendor: string, request: string): Promise<void> {
  const file = join(stage.folder, 'render.ent');
  const today = new Date().toISOString().slice(0, 10);
  const nextYear = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
  await stage.must(
    ...[
      OWNER,
      'vendor',
      'issue',
      '--key',
      join(vendor, 'vendor.key'),
      '--server',
      request,
      '--product',
      PRODUCT,
    ],
    ...['--seats', '3', '--from', today, '--until', nextYear, '--borrow-max', '30d', '--borrow-seats', '2'],
    ...['--share', 'process', '--number', 'S-2026-0042', '--out', file],
  );
  const inspected = await stage.must(OWNER, 'vendor', 'inspect', file);
  await stage.must(OWNER, 'entitlement', 'import', file);
  await expectPool(stage, {
    owned: 3,
    allocated: 0,
    shared: 3,
    inUse: 0,
    borrowed: 0,
    held: 0,
    free: 3,
    over: 0,
  });
  const id = (inspected.claims as Line).jti;
  tell(
    'The vendor signs 3 seats, 2 to borrow; the owner imports them',
    `${id}: 3 owned = 0 allocated + 3 shared`,
  );
}

async function invite(stage: Stage, tell: Tell): Promise<string[]> {
  const list = new URL('../../invite-excel-da.csv', import.meta.url);
  const people = await firstPeople(list, 4);
  assert.equal(people.length, 4);
  const emails = await Promise.all(
    people.map(async ({ email, name }) => {
      const invited = await stage.must(OWNER, 'user', 'invite', email, '--name', name);
      const joined = await stage.must(email, 'join', String(invited.link));
      assert.equal(emailOf(joined), email.toLowerCase());
      return emailOf(joined);
    }),
  );
  const { items } = await stage.must(OWNER, 'user', 'list');
  const active = (items as Line[]).filter(({ state }) => state === 'active').length;
  assert.equal(active, 5, 'the owner and four people are active');
  tell('The first four people of invite-excel-da.csv are invited and join', emails.join(', '));
  return emails;
}

async function fourPluginsForThreeSeats(
  stage: Stage,
  tell: Tell,
  people: readonly string[],
  vendorKey: string,
): Promise<Actor[]> {
  const plugins = await Promise.all(people.map((email) => stage.plugin(email, PRODUCT, vendorKey)));
  const [refused, ...holders] = [plugins[3]!, ...plugins.slice(0, 3)];
  await Promise.all(holders.map((holder) => holder.checkout()));
  await expectPool(stage, { inUse: 3, free: 0 });
  const pids = holders.map(({ process }) => process.pid).join(', ');
  tell('Three plugins, processes of their own, take a seat each', `pids ${pids}: 3 in use, 0 free`);
  const refusal = await refused.order('checkout');
  assert.equal(refusal.code, 'NO_SEAT', JSON.stringify(refusal));
  assert.equal(refusal.rule, 'ALL_IN_USE');
  const named = (refusal.holders as { user: string }[]).map(({ user }) => user);
  assert.deepEqual([...named].sort(), holders.map(({ email }) => email).sort());
  const inMs = Number(refusal.nextFreeAtMs) - Date.now();
  assert.ok(inMs > 0 && inMs <= WINDOW_MS + 1000, `the next seat can be free in ${inMs} ms`);
  const when = `one can be free in ${(inMs / 1000).toFixed(0)} s`;
  tell('The fourth is refused and told why', `NO_SEAT (ALL_IN_USE), held by ${named.join(', ')}; ${when}`);
  await refused.quit();
  return holders;
}

async function killPlugin(stage: Stage, tell: Tell, plugins: readonly Actor[]): Promise<Actor[]> {
  const [victim, ...left] = plugins;
  victim!.process.signal('SIGKILL');
  assert.equal((await victim!.process.ended).signal, 'SIGKILL');
  await expectPool(stage, { inUse: 3, free: 0 });
  const isFree = async () => (await poolOf(stage)).free === 1;
  const tookMs = await until('its seat comes free', isFree, WINDOW_MS + PATIENCE_MS, 500);
  await expectPool(stage, { inUse: 2, free: 1 });
  tell(
    `The plugin of ${victim!.email} is killed (SIGKILL)`,
    `in use at first; free by expiry after ${seconds(tookMs)}`,
  );
  return left;
}

async function killServer(stage: Stage, tell: Tell, plugins: readonly Actor[]): Promise<void> {
  const before = await Promise.all(plugins.map((plugin) => plugin.order('look')));
  const said = plugins.map(({ process }) => process.lines.length);
  const startMs = performance.now();
  const { signal } = await stage.endServer('SIGKILL');
  assert.equal(signal, 'SIGKILL');
  await stage.serve();
  const tookMs = performance.now() - startMs;
  await Promise.all(
    plugins.map(({ process }) => process.hear('online again', ({ event }) => event === 'online')),
  );
  const after = await Promise.all(plugins.map((plugin) => plugin.order('look')));
  const events = plugins.map(({ process }, at) => process.lines.slice(said[at]).map(({ event }) => event));
  for (const [at, { email }] of plugins.entries()) {
    assert.deepEqual(after[at]!.leaseIds, before[at]!.leaseIds, `${email} has another lease`);
    assert.equal(after[at]!.state, 'held', `the seat of ${email}`);
    assert.ok(!events[at]!.includes('lost'), `${email} lost the seat`);
  }
  await expectPool(stage, { inUse: 2, free: 1 });
  const seen = [...new Set(events.flat().filter((event) => event !== 'done'))].join(', ');
  tell(
    `berthd is killed (SIGKILL) and back after ${seconds(tookMs)}`,
    `both plugins hold the same leases; all they saw: ${seen}`,
  );
}

async function release(stage: Stage, tell: Tell, plugins: readonly Actor[]): Promise<void> {
  for (const plugin of plugins) assert.equal((await plugin.order('release')).state, 'released');
  await expectPool(stage, { inUse: 0, free: 3 });
  for (const plugin of plugins) await plugin.quit();
  tell('The two give their seats back', '0 in use, 3 free at once');
}

async function assignAndBorrow(stage: Stage, tell: Tell, email: string, vendorKey: string): Promise<void> {
  const assigned = await stage.must(OWNER, 'license', 'assign', email, PRODUCT);
  assert.equal((assigned.allocation as Line).quantity, 1);
  await expectPool(stage, { owned: 3, allocated: 1, shared: 2, free: 3 });
  tell(`One seat is assigned to ${email}`, '3 owned = 1 allocated + 2 shared');
  const plugin = await stage.plugin(email, PRODUCT, vendorKey);
  const { borrow } = await plugin.order('borrow 7200');
  assert.equal((borrow as Line).state, 'valid', JSON.stringify(borrow));
  await plugin.quit();
  await expectPool(stage, { inUse: 0, borrowed: 1, free: 2 });
  const until = new Date(Number((borrow as Line).expiresAtMs)).toISOString();
  tell(
    'That user borrows it for two hours',
    `borrow ${(borrow as Line).id} until ${until}; 1 borrowed, 2 free`,
  );
}

async function verifyOffline(stage: Stage, tell: Tell, email: string, vendorKey: string): Promise<void> {
  const { code } = await stage.endServer('SIGTERM');
  assert.equal(code, 0, 'berthd ends with 0 on SIGTERM');
  const stranger = await stage.must(OWNER, 'vendor', 'keygen', '--out', join(stage.folder, 'stranger'));
  const listed = await listBorrows(stage, email, vendorKey);
  assert.equal(listed.state, 'valid');
  const misjudged = await listBorrows(stage, email, String(stranger.publicKey));
  assert.equal(misjudged.state, 'invalid');
  const plugin = await stage.plugin(email, PRODUCT, vendorKey);
  const seat = await plugin.checkout();
  assert.equal(seat.kind, 'borrow');
  await plugin.quit();
  const seen = `valid by the vendor's key alone, ${misjudged.fault} by another's; a plugin starts on it`;
  tell('berthd is stopped (SIGTERM, exit 0) and the borrow verified offline', seen);
}

async function revokeAfterReturn(stage: Stage, tell: Tell, email: string): Promise<void> {
  await stage.serve();
  const refused = await stage.berth(OWNER, 'license', 'revoke', email, PRODUCT);
  assert.equal(refused.code, 8, refused.stderr);
  const sentence =
    `The source user ${email} has borrowed licenses for offline use. To reallocate them, ` +
    'the borrowing period should first expire or the user should release them for offline use.';
  assert.ok(refused.stderr.includes(`BORROWED ${sentence}`), refused.stderr);
  await expectPool(stage, { allocated: 1, borrowed: 1 });
  tell('berthd is back; the admin revokes the seat and is refused', `exit 8, BORROWED ${sentence}`);
  const { items } = await stage.must(email, 'borrow', 'return', '--product', PRODUCT);
  assert.equal((items as Line[]).length, 1);
  await expectPool(stage, { allocated: 1, borrowed: 0, free: 3 });
  tell('The user returns the borrow', '0 borrowed, 3 free');
  const revoked = await stage.must(OWNER, 'license', 'revoke', email, PRODUCT);
  assert.equal(revoked.revoked, 1);
  await expectPool(stage, { allocated: 0, shared: 3, free: 3 });
  tell('The admin revokes the seat', `revoked 1, ${revoked.left} left; 3 owned = 0 allocated + 3 shared`);
}

async function stop(stage: Stage, tell: Tell): Promise<void> {
  const { code } = await stage.endServer('SIGTERM');
  assert.equal(code, 0);
  const { findings } = await stage.berthd('check', '--data', stage.data);
  const verdicts = (findings as Line[]).map(({ check, verdict }) => `${check} ${verdict}`);
  tell('berthd stops and its folder is checked', verdicts.join(', '));
}

async function listBorrows(stage: Stage, email: string, vendorKey: string): Promise<Line> {
  const { items } = await stage.must(email, 'borrow', 'list', '--vendor-key', vendorKey);
  assert.equal((items as Line[]).length, 1);
  return (items as Line[])[0]!;
}

function emailOf(joined: Line): string {
  return String((joined.user as Line).email);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

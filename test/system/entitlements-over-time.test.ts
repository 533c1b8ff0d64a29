import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nativeEd25519 } from '@berth/client/internal';
import { type EntitlementClaims, formatPublicKey, parseSecretKey, signToken } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Started } from './process.js';
import { type Person, type Ran, Site } from './site.js';
import { until } from './waiting.js';

// Entitlements that are renewed, replaced, removed and run out, and a vendor that changes its key (issue 3, part 9).

const LEASE_SECONDS = 3;

let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: LEASE_SECONDS });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
}, 120_000);

afterAll(() => site?.close());

const owner = (...words: string[]): Promise<Ran> => site.berth(site.owner, [...words, '--json']);
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

async function signer(folder: string) {
  const seed = parseSecretKey(await readFile(join(folder, 'vendor.key'), 'utf8'))!;
  return nativeEd25519.signingKey(seed);
}

/** Dates of people are days; these are seconds, so that a test can see them pass. */
async function sign(claims: Partial<EntitlementClaims>, folder = site.vendor): Promise<string> {
  const key = await signer(folder);
  const full: EntitlementClaims = {
    jti: 'ent',
    rev: 1,
    iss: formatPublicKey(key.publicKey),
    sub: site.serverKey,
    product: 'render',
    seats: 1,
    nbf: nowSeconds() - 60,
    exp: nowSeconds() + 86_400,
    share: 'process',
    earlyReturn: 'at-once',
    display: {},
    ...claims,
  };
  return site.write(
    `${process.hrtime.bigint()}.ent`,
    `${signToken('entitlement', full, (message) => key.sign(message))}\n`,
  );
}

async function imported(claims: Partial<EntitlementClaims>, folder?: string): Promise<Ran> {
  return owner('entitlement', 'import', await sign(claims, folder));
}

async function holding(product: string): Promise<{ plugin: Started; lease: string }> {
  const plugin = site.plugin(anna, { product });
  await plugin.hear({ event: 'ready' });
  plugin.tell('checkout');
  const { leaseIds } = await plugin.hear({ event: 'done', order: 'checkout' });
  return { plugin, lease: (leaseIds as string[])[0]! };
}

async function close(plugin: Started): Promise<void> {
  plugin.tell('close');
  await plugin.exited;
}

describe('a vendor that changes its key', () => {
  const product = 'rotating';
  let next = '';

  beforeAll(async () => {
    next = join(site.folder, 'vendor-next');
    await site.berthOk(site.owner, ['vendor', 'keygen', '--out', next]);
    expect((await imported({ jti: 'old', product })).code).toBe(0);
  });

  test('the new key alone grants nothing', async () => {
    const { code, json } = await imported({ jti: 'new', product }, next);
    expect([code, json.error.code]).toEqual([4, 'VENDOR_MISMATCH']);
    expect(json.error.next).toContain('endorsement');
  });

  test('endorsed by the old one it does, and a plugin that pins only the old key believes it, borrows too', async () => {
    const { plugin: first } = await holding(product);
    const file = join(site.folder, 'rotation.endorsement');
    const words = ['--key', join(site.vendor, 'vendor.key'), '--new', join(next, 'vendor.pub')];
    const endorse = ['vendor', 'endorse', ...words, '--product', product, '--out', file];
    expect((await owner(...endorse)).json).toMatchObject({ vendor: site.vendorKey, products: [product] });
    expect((await owner(...endorse)).json.error.code).toBe('FILE_EXISTS');
    expect((await owner(...endorse, '--force')).code).toBe(0);
    const shown = await owner('vendor', 'inspect', file, '--vendor-key', site.vendorKey);
    expect(shown.json).toMatchObject({ type: 'endorsement', signature: { verdict: 'valid', pinned: true } });
    // Said ahead, each as if it were the only one; nothing is changed by it.
    const would = await owner(
      'entitlement',
      'import',
      file,
      await sign({ jti: 'new', product }, next),
      '--dry-run',
    );
    expect([would.code, would.json]).toMatchObject([
      4,
      { dryRun: true, items: [{ changed: true, moved: [product] }, { error: { code: 'VENDOR_MISMATCH' } }] },
    ]);
    const done = await owner('entitlement', 'import', file);
    expect(done.json.items).toMatchObject([{ changed: true, moved: [product] }]);
    expect((await owner('entitlement', 'import', file)).json.items).toMatchObject([{ changed: false }]);
    const borrow = { maxSeconds: 3600, seats: 1 };
    expect((await imported({ jti: 'new', product, seats: 2, borrow }, next)).code).toBe(0);
    // The seat of the old entitlement goes on; the next one can only be of the new.
    const { plugin } = await holding(product);
    plugin.tell('borrow 600');
    expect(await plugin.hear({ event: 'done', order: 'borrow' })).toMatchObject({
      borrow: { state: 'valid' },
    });
    first.tell('state');
    expect(await first.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    await site.restart();
    plugin.tell('borrows');
    expect(await plugin.hear({ event: 'done', order: 'borrows' })).toMatchObject({
      borrows: [{ state: 'valid', fault: null }],
    });
    await close(first);
    await close(plugin);
  });

  test('the old key grants no more, nor does it endorse another', async () => {
    expect((await imported({ jti: 'late', product })).json.error.code).toBe('VENDOR_MISMATCH');
    const third = join(site.folder, 'vendor-third');
    await site.berthOk(site.owner, ['vendor', 'keygen', '--out', third]);
    const file = join(site.folder, 'third.endorsement');
    const words = ['--key', join(site.vendor, 'vendor.key'), '--new', join(third, 'vendor.pub')];
    await site.berthOk(site.owner, ['vendor', 'endorse', ...words, '--product', product, '--out', file]);
    expect((await owner('entitlement', 'import', file)).json.error.code).toBe('VENDOR_MISMATCH');
    const text = await readFile(file, 'utf8');
    const forged = await site.write('forged', `${text.slice(0, -12)}AAAAAAAAAA${text.slice(-2)}`);
    const ran = await owner('entitlement', 'import', forged);
    expect(ran.code).not.toBe(0);
    expect(['ENDORSEMENT_INVALID', 'ENTITLEMENT_INVALID']).toContain(ran.json.error.code);
  });
});

// Both wait for the same length of time, of products of their own.
describe.concurrent('an entitlement that ends while a plugin holds its seat', () => {
  /** Seconds until it ends: W of a lease of 3 s is 13.1 s, and the plugins of both have to be there before that. */
  const LIFE_SECONDS = 32;

  test('with another one that begins when it ends: warned of nothing, and held without a gap', async () => {
    const endSeconds = nowSeconds() + LIFE_SECONDS;
    await imported({ jti: 'year-1', product: 'yearly', exp: endSeconds });
    await imported({ jti: 'year-2', product: 'yearly', nbf: endSeconds });
    const { plugin, lease } = await holding('yearly');
    const listed = async () =>
      (await owner('lease', 'list', '--product', 'yearly')).json.items.find(
        ({ id }: { id: string }) => id === lease,
      );
    expect(await listed()).toMatchObject({ entitlement: 'year-1' });
    await until('the old one to end', () => nowSeconds() > endSeconds + 3, 60_000);
    expect(await listed()).toMatchObject({ entitlement: 'year-2', state: 'open' });
    expect(plugin.said.filter(({ event }) => event === 'lost' || event === 'warning')).toEqual([]);
    expect(plugin.said.filter(({ event }) => event === 'grace')).toEqual([]);
    expect(await site.pool('yearly')).toMatchObject({ owned: 1, inUse: 1, over: 0 });
    const { items } = (await owner('entitlement', 'list', '--product', 'yearly')).json;
    expect(items.map(({ id, state }: { id: string; state: string }) => [id, state])).toEqual([
      ['year-1', 'expired'],
      ['year-2', 'active'],
    ]);
    const ended = (await owner('subscription', 'list', '--expired', '--product', 'yearly')).json.items;
    expect(ended).toMatchObject([{ id: 'year-1', state: 'expired' }]);
    const active = (await owner('subscription', 'list', '--active', '--product', 'yearly')).json.items;
    expect(active).toMatchObject([{ id: 'year-2', state: 'active' }]);
    await close(plugin);
  });

  test('with nothing after it: warned in time, lost before the end, and renewed in time it goes on', async () => {
    const endSeconds = nowSeconds() + LIFE_SECONDS;
    await imported({ jti: 'last', product: 'ending', exp: endSeconds });
    await imported({ jti: 'kept', product: 'renewed', exp: endSeconds });
    const [{ plugin }, { plugin: lucky }] = await Promise.all([holding('ending'), holding('renewed')]);
    const warning = await plugin.hear({ event: 'warning' });
    expect(warning).toMatchObject({ code: 'ENTITLEMENT_EXPIRED', by: null });
    // Hold included: the last right ends ten seconds before the entitlement.
    expect(warning.endsAtMs as number).toBeLessThanOrEqual(endSeconds * 1000 - 9000);
    await lucky.hear({ event: 'warning', code: 'ENTITLEMENT_EXPIRED' });
    const revision = await imported({ jti: 'kept', rev: 2, product: 'renewed', seats: 2 });
    expect(revision.json.items).toMatchObject([{ changed: true, entitlement: { rev: 2 } }]);
    await lucky.hear({ event: 'warning', endsAtMs: null });
    expect(await plugin.hear({ event: 'lost' }, 60_000)).toMatchObject({ code: 'ENTITLEMENT_EXPIRED' });
    expect(Date.now()).toBeLessThan(endSeconds * 1000);
    await until('the end', () => nowSeconds() > endSeconds + 1, 60_000);
    lucky.tell('state');
    expect(await lucky.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    const old = await imported({ jti: 'kept', rev: 1, product: 'renewed', exp: endSeconds + 999_999 });
    expect(old.json.error.code).toBe('ENTITLEMENT_SUPERSEDED');
    await plugin.kill();
    await close(lucky);
  });
});

describe('replacing and removing', () => {
  test('a replacement takes allocations and seats along; one that begins later is refused', async () => {
    await imported({ jti: 'base', product: 'swapped', seats: 2 });
    await site.berthOk(site.owner, ['license', 'assign', anna.email, 'swapped']);
    const { plugin } = await holding('swapped');
    const later = nowSeconds() + 86_400 * 3;
    const early = await imported({
      jti: 'wide',
      product: 'swapped',
      replaces: 'base',
      nbf: later,
      exp: later + 99,
    });
    expect([early.code, early.json.error.code]).toEqual([1, 'ENTITLEMENT_CONFLICT']);
    expect((await imported({ jti: 'wide', product: 'swapped', replaces: 'base', seats: 5 })).code).toBe(0);
    expect(await site.pool('swapped')).toMatchObject({ owned: 5, allocated: 1, inUse: 1 });
    plugin.tell('state');
    expect(await plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    await close(plugin);
  });

  test('removing says what it takes, and is refused while seats are allocated', async () => {
    const refused = await owner('entitlement', 'remove', 'wide', '--yes');
    expect([refused.code, refused.json.error.code]).toEqual([8, 'ALLOCATED']);
    await site.berthOk(site.owner, ['license', 'revoke', anna.email, 'swapped', '--all']);
    const { plugin } = await holding('swapped');
    const removed = await owner('entitlement', 'remove', 'wide', '--yes');
    expect(removed).toMatchObject({ code: 0, json: { id: 'wide', leasesRevoked: 1, moved: 0 } });
    expect(removed.stderr).toContain('1 lease was revoked');
    expect(await plugin.hear({ event: 'lost' })).toMatchObject({ code: 'LEASE_REVOKED' });
    await plugin.kill();
    const unknown = await owner('entitlement', 'remove', 'wide', '--yes');
    expect([unknown.code, unknown.json.error.code]).toEqual([6, 'ENTITLEMENT_UNKNOWN']);
  });
});

import { readFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newNonce, RawClient } from './raw-client.js';
import { type Person, type Ran, Site } from './site.js';
import { within } from './waiting.js';

// "Bad input" of issue 2: each a stable code, a sentence, a next step, and no state lost; nobody crashes the server or stalls it for
// others. What the computer itself does wrong (disk, port, configuration, clock) is in bad-host.test.ts.

let site: Site;
let anna: Person;
let raw: RawClient;
/** Somebody who works meanwhile. */
let witness: RawClient;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 30 });
  await site.grant({ seats: 2, share: 'process', borrow: { max: '1d', seats: 1 }, id: 'ent-render' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
  raw = await RawClient.enrolled(site.address, await site.invite('raw@studio.example'));
  witness = await RawClient.enrolled(site.address, await site.invite('witness@studio.example'));
  expect((await witness.ask('lease.checkout', asks())).result).toMatchObject({ joined: false });
}, 120_000);

afterAll(() => site?.close());

/** After whatever happened: the server serves, and who held a seat still holds it. */
afterEach(async () => {
  expect((await site.http('/readyz')).status).toBe(200);
  const { result } = await within('a renewal', witness.ask('lease.renew', { nonce: newNonce() }), 5_000);
  expect(result).toMatchObject({ leases: [{ token: expect.any(String) }] });
});

const asks = (changed: object = {}): object => ({
  ...{ key: newNonce(), wants: wants(), nonce: newNonce(), ...changed },
});
const wants = (changed: object = {}): object[] => [{ products: ['render'], seats: 1, ...changed }];
const manyWants = Array.from({ length: 9 }, (_, at) => ({ products: [`p${at}`], seats: 1 }));
const frame = (method: string, params: unknown = {}): object => ({ jsonrpc: '2.0', id: 77, method, params });

describe('frames', () => {
  test.each([
    ['that are no JSON', 'hello', 'FRAME_INVALID'],
    ['that are an array', '[]', 'REQUEST_INVALID'],
    ['that are nested 5,000 deep', `${'['.repeat(5000)}`, 'FRAME_INVALID'],
    ['without a version', { id: 77, method: 'lease.renew', params: {} }, 'REQUEST_INVALID'],
    ['with an object as id', { jsonrpc: '2.0', id: {}, method: 'lease.renew' }, 'REQUEST_INVALID'],
    ['with a method nobody knows', frame('lease.steal'), 'METHOD_UNKNOWN'],
    ['with a method every object has', frame('constructor'), 'METHOD_UNKNOWN'],
    ['with an admin method on the lease path', frame('user.list'), 'METHOD_UNKNOWN'],
    ['with a member missing', frame('lease.checkout', { product: 'render' }), 'PARAMS_INVALID'],
    [
      'with a text for a number',
      frame('lease.checkout', asks({ wants: wants({ seats: 'many' }) })),
      'PARAMS_INVALID',
    ],
    ['with no seats', frame('lease.checkout', asks({ wants: wants({ seats: 0 }) })), 'PARAMS_INVALID'],
    ['with half a seat', frame('lease.checkout', asks({ wants: wants({ seats: 0.5 }) })), 'PARAMS_INVALID'],
    [
      'with a product that is a path',
      frame('lease.checkout', asks({ wants: wants({ products: ['../keys'] }) })),
      'PARAMS_INVALID',
    ],
    ['that want nothing', frame('lease.checkout', asks({ wants: [] })), 'PARAMS_INVALID'],
    ['that want more than a bundle', frame('lease.checkout', asks({ wants: manyWants })), 'PARAMS_INVALID'],
    [
      'that want a product twice',
      frame('lease.checkout', asks({ wants: [...wants(), ...wants()] })),
      'PARAMS_INVALID',
    ],
    [
      'that wait for more than a day',
      frame('lease.checkout', asks({ waitMs: 86_400_001 })),
      'PARAMS_INVALID',
    ],
    ['that cancel what nobody waits for', frame('lease.cancelWait', { checkout: newNonce() }), null],
    [
      'with a product nobody has',
      frame('lease.checkout', asks({ wants: wants({ products: ['nothing'] }) })),
      'NO_PRODUCT',
    ],
    ['that open a second session', frame('session.open', {}), 'PARAMS_INVALID'],
    ['that release what is not theirs', frame('lease.release', { key: newNonce(), leases: ['l-1'] }), null],
    [
      'that return what was never borrowed',
      frame('borrow.return', { key: newNonce(), stops: ['a.b.c'] }),
      'STOP_INVALID',
    ],
  ])('%s are answered, and the session goes on', async (_, sent, code) => {
    raw.send(sent);
    const { error } = await raw.hear(({ id }) => id === 77 || id === null);
    if (code !== null) expectExplained(error, code);
    expect((await raw.ask('pool.status', {})).result).toMatchObject({
      pools: [{ product: 'render', inUse: 1 }],
    });
  });

  test('a key used for two different requests: KEY_REUSED, and nothing is taken twice', async () => {
    const key = newNonce();
    const first = await raw.ask('lease.checkout', asks({ key }));
    const [token = ''] = (first.result?.leases ?? []) as string[];
    const lease = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
    expectExplained(
      (await raw.ask('lease.checkout', asks({ key, wants: wants({ seats: 2 }) }))).error,
      'KEY_REUSED',
    );
    expect((await raw.ask('lease.release', { key: newNonce(), leases: [lease] })).error).toBeUndefined();
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 1 });
  });

  test('a lease of somebody else cannot be released', async () => {
    const { items } = (await site.berthOk(site.owner, ['lease', 'list', '--json'])).json;
    const { error } = await raw.ask('lease.release', { key: newNonce(), leases: [items[0].id] });
    expectExplained(error, 'LEASE_UNKNOWN');
  });

  test('before a session everything but opening one is refused', async () => {
    const stranger = await RawClient.connect(site.address);
    for (const method of ['pool.status', 'lease.checkout', 'lease.renew'])
      expectExplained((await stranger.ask(method, asks())).error, 'SESSION_REQUIRED');
    stranger.close();
  });

  test.each([
    ['larger than 16 KiB', () => 'x'.repeat(16 * 1024 + 1), 1009],
    ['of 1 MiB', () => 'x'.repeat(1024 * 1024), 1009],
    ['binary', () => Buffer.from([1, 2, 3]), 4400],
  ])('%s: the connection is closed with its code', async (_, sent, code) => {
    const stranger = await RawClient.connect(site.address);
    stranger.send(sent());
    expect((await stranger.end()).code).toBe(code);
  });

  test('a flood of nonsense: closed with 4429', async () => {
    const stranger = await RawClient.connect(site.address);
    for (let sent = 0; sent < 500; sent++) stranger.send('nonsense');
    expect((await stranger.end()).code).toBe(4429);
  });

  test.each([
    ['the wrong subprotocol', '/v1/lease', 'berth.v9', 'SUBPROTOCOL_REQUIRED', 400],
    ['no subprotocol', '/v1/lease', undefined, 'SUBPROTOCOL_REQUIRED', 400],
    ['another path', '/v1/else', 'berth.v1', 'PATH_UNKNOWN', 404],
  ])('%s: refused before there is a socket', async (_, path, subprotocol, code, status) => {
    const options = { rejectUnauthorized: false };
    const socket = new WebSocket(`wss://${site.address}${path}`, subprotocol, options);
    const refused = await within(
      'the refusal',
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        socket.once('open', () => reject(new Error('It was accepted')));
        socket.once('error', () => undefined);
        socket.once('unexpected-response', (_request, response) => {
          let body = '';
          response.on('data', (part) => {
            body += part;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        });
      }),
    );
    expect(refused.status).toBe(status);
    const { message, next, ...rest } = JSON.parse(refused.body);
    expect([rest.code, message, next]).toEqual([
      code,
      expect.stringMatching(/./),
      expect.stringMatching(/./),
    ]);
  });

  test('sockets that say nothing, or no TLS, or no HTTP stop nobody', async () => {
    const [host, port] = ['127.0.0.1', site.port];
    const sockets = [
      ...Array.from({ length: 20 }, () => connectTcp(port, host)),
      ...Array.from({ length: 5 }, () =>
        connectTcp(port, host, function (this: { write(text: string): void }) {
          this.write('GET / HTTP/1.1\r\n\r\n');
        }),
      ),
      ...Array.from({ length: 5 }, () =>
        connectTls({ host, port, rejectUnauthorized: false }, function (this: { write(text: string): void }) {
          this.write('\u0000\u0001 no HTTP\r\n\r\n');
        }),
      ),
    ];
    for (const socket of sockets) socket.on('error', () => undefined);
    expect((await within('an answer', raw.ask('pool.status', {}), 5_000)).result).toBeDefined();
    for (const socket of sockets) socket.destroy();
  });
});

/** A code that does not change, a sentence, and what to do next. */
function expectExplained(error: unknown, code: string): void {
  expect(error).toMatchObject({
    code: expect.any(Number),
    message: expect.stringMatching(/\w+ \w+/),
    data: { code, next: expect.stringMatching(/\w+ .*\.$/) },
  });
}

/** The same for a command. */
function failure({ code, json, stderr }: Ran): [number, string] {
  expect(json.error).toMatchObject({
    message: expect.stringMatching(/\w+ .*\.$/),
    next: expect.stringMatching(/\w+/),
  });
  expect(stderr).toContain(`berth: ${json.error.code} `);
  return [code, json.error.code];
}

describe('invitations', () => {
  const join = (name: string, link: string): Promise<Ran> =>
    site.berth(site.person(`${name}@elsewhere.example`), ['join', link, '--json']);

  test('used by somebody else: INVITATION_USED, 4', async () => {
    const link = await site.invite('cem@studio.example');
    expect((await join('first', link)).code).toBe(0);
    expect(failure(await join('second', link))).toEqual([4, 'INVITATION_USED']);
    // Who used it may repeat it.
    expect((await join('first', link)).code).toBe(0);
  });

  test('ended by a newer one: INVITATION_INVALID', async () => {
    const old = await site.invite('dua@studio.example');
    await site.invite('dua@studio.example');
    expect(failure(await join('third', old))[0]).toBe(4);
  });

  test('made up: INVITATION_INVALID, 4', async () => {
    const link = (await site.invite('eli@studio.example')).replace(
      /token=.*/,
      'token=i0000000000000000.AAAAAAAAAAAAAAAAAAAAAA',
    );
    expect(failure(await join('fourth', link))).toEqual([4, 'INVITATION_INVALID']);
  });

  test('the key of another server in the link: refused before anything secret is sent', async () => {
    const link = await site.invite('fay@studio.example');
    const stranger = (
      await site.berthOk(anna, ['vendor', 'keygen', '--out', `${site.folder}/stranger`, '--json'])
    ).json;
    const wrong = link.replace(/key=[^&]*/, `key=${stranger.publicKey}`);
    expect(failure(await join('fifth', wrong))).toEqual([4, 'SERVER_MISMATCH']);
    // The invitation is not used up.
    expect((await join('fifth', link)).code).toBe(0);
  });

  test.each([['not a link'], ['https://127.0.0.1/'], ['berth://127.0.0.1:1/?key=x&token=y']])(
    'no link at all (%s): LINK_INVALID, 2',
    async (link) => {
      expect(failure(await join('sixth', link))).toEqual([2, 'LINK_INVALID']);
    },
  );
});

describe('entitlements', () => {
  const terms = { seats: 5, share: 'process', id: 'ent-render' } as const;
  const importing = (file: string): Promise<Ran> =>
    site.berth(site.owner, ['entitlement', 'import', file, '--json']);

  afterEach(async () => {
    expect(await site.pool()).toMatchObject({ owned: 2, free: 1 });
  });

  test('tampered: ENTITLEMENT_SIGNATURE, 4', async () => {
    const [header, payload, signature] = (await readFile(await site.issue(terms), 'utf8')).trim().split('.');
    const claims = Buffer.from(payload!, 'base64url').toString().replace('"seats":5', '"seats":9');
    const file = await site.write(
      'tampered.ent',
      `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`,
    );
    expect(failure(await importing(file))).toEqual([4, 'ENTITLEMENT_SIGNATURE']);
  });

  test.each([
    ['cut off', (token: string) => token.slice(0, -5)],
    ['not a token', () => 'hello'],
    ['empty', () => ''],
    [
      'with another algorithm',
      (token: string) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`,
    ],
  ])('%s: ENTITLEMENT_INVALID, 2', async (_, spoil) => {
    const token = (await readFile(await site.issue(terms), 'utf8')).trim();
    expect(failure(await importing(await site.write('spoilt.ent', spoil(token))))).toEqual([
      2,
      'ENTITLEMENT_INVALID',
    ]);
  });

  test('for another server: ENTITLEMENT_FOREIGN, 4', async () => {
    const other = (
      await site.berthOk(anna, ['vendor', 'keygen', '--out', `${site.folder}/other-server`, '--json'])
    ).json;
    const file = await signed(`${site.folder}/vendor`, ['--id', 'ent-9'], other.publicKey);
    expect(failure(await importing(file))).toEqual([4, 'ENTITLEMENT_FOREIGN']);
  });

  test.each([
    ['another vendor for the product', ['--id', 'ent-2'], 'stranger-vendor', 4, 'VENDOR_MISMATCH'],
    ['another share rule', ['--id', 'ent-3', '--share', 'user'], 'vendor', 1, 'SHARE_MISMATCH'],
    ['the same revision with other seats', ['--id', 'ent-render'], 'vendor', 1, 'ENTITLEMENT_CONFLICT'],
    [
      'one that replaces what nobody knows',
      ['--id', 'ent-4', '--replaces', 'ent-none'],
      'vendor',
      6,
      'ENTITLEMENT_UNKNOWN',
    ],
    [
      'one that has expired',
      ['--id', 'ent-5', '--from', '2020-01-01', '--until', '2020-12-31'],
      'vendor',
      1,
      'ENTITLEMENT_EXPIRED',
    ],
  ])('%s: %s', async (_, words, vendor, exit, code) => {
    const keys = `${site.folder}/${vendor}`;
    if (vendor !== 'vendor') await site.berthOk(anna, ['vendor', 'keygen', '--out', keys]);
    expect(failure(await importing(await signed(keys, words)))).toEqual([exit, code]);
  });

  test('an older revision than is known: ENTITLEMENT_SUPERSEDED, 1', async () => {
    const vendor = `${site.folder}/vendor`;
    const older = await signed(vendor, ['--id', 'ent-render', '--rev', '2', '--seats', '2']);
    await site.berthOk(site.owner, [
      'entitlement',
      'import',
      await signed(vendor, ['--id', 'ent-render', '--rev', '3', '--seats', '2']),
    ]);
    expect(failure(await importing(older))).toEqual([1, 'ENTITLEMENT_SUPERSEDED']);
  });

  /** As `site.issue`, with whatever the words say last. */
  async function signed(vendor: string, words: readonly string[], server = site.serverKey): Promise<string> {
    const out = `${site.folder}/signed-${newNonce()}.ent`;
    const defaults = {
      '--seats': '5',
      '--from': '2026-01-01',
      '--until': '2099-01-01',
      '--share': 'process',
    };
    const terms = new Map(Object.entries(defaults));
    for (let at = 0; at < words.length; at += 2) terms.set(words[at]!, words[at + 1]!);
    const base = [
      'vendor',
      'issue',
      '--key',
      `${vendor}/vendor.key`,
      '--server',
      server,
      '--product',
      'render',
    ];
    await site.berthOk(site.owner, [...base, ...[...terms].flat(), '--out', out]);
    return out;
  }
});

test('afterwards nothing is lost: the folder is clean and the auditor has nothing to say', async () => {
  await site.kill();
  expect((await site.check()).json).toMatchObject({ ok: true });
  const { findings } = site.audit();
  expect(findings).toEqual([]);
  await site.serve();
  witness = await RawClient.enrolled(site.address, await site.invite('late@studio.example'));
  expect((await witness.ask('lease.checkout', asks())).result).toBeDefined();
}, 60_000);

import assert from 'node:assert/strict';
import {
  checkResult,
  decodeFrame,
  type EntitlementClaims,
  isMethod,
  limits,
  type Method,
  requests,
  signToken,
} from '@berth/protocol';
import { takeChangedRows } from '@berth/server/store/records';
import type { Random } from '../../store/random.js';
import { entitlement, keyOf, World } from '../../unit/domain/world.js';
import { bytes, oddTexts, pick, type Target, text } from '../target.js';
import { FuzzPeer, FuzzServer } from './fuzz-server.js';
import { fuzzKeys } from './keys.js';
import { paramsFor } from './schema-values.js';

// Frames, a line each; those that begin with `A ` come on the admin path. They go through the decoder, the schemas and the dispatcher to the real
// handlers and the domain. Each request gets one answer, of the shape that the table promises, and no invariant breaks.

const methods = Object.keys(requests) as Method[];
const OWNER = 'owner@studio.example';
/** A checkout may be parked in line; what is not answered after so many turns never will be. */
const MOST_TURNS = 500;

export function frameTarget(): Target {
  const { rows, device, known } = site();
  return {
    name: 'frame',
    maxBytes: limits.requestBytes,
    words: [
      ...methods,
      '"params"',
      '"jsonrpc":"2.0"',
      '"id"',
      'A ',
      '\n',
      '{',
      '}',
      '[',
      'null',
      '"method"',
      '"key"',
      ...known.lease!,
    ],
    covers: [
      '/protocol/dist/',
      '/server/dist/admin/',
      '/server/dist/transport/dispatch',
      '/server/dist/domain/',
      '/server/dist/engine/',
    ],
    generate: (random) => generate(random, known),
    run: (input) => run(input, rows, device),
  };
}

async function run(input: Uint8Array, rows: ReadonlyMap<string, string>, device: string): Promise<void> {
  const server = await FuzzServer.open(rows);
  const peers = { lease: new FuzzPeer('lease', device, OWNER), admin: new FuzzPeer('admin', device, OWNER) };
  const asked: { readonly id: unknown; readonly method: string }[] = [];
  for (const line of text(input).split('\n').slice(0, 8)) {
    const [peer, frame] = line.startsWith('A ') ? [peers.admin, line.slice(2)] : [peers.lease, line];
    const decoded = decodeFrame(frame);
    if (decoded.type === 'request') asked.push(decoded);
    const before = peer.sent.length;
    server.dispatcher.receive(frame, peer);
    if (decoded.type === 'notification')
      assert.equal(peer.sent.length, before, 'a notification was answered');
  }
  const both = [peers.lease, peers.admin];
  const busy = (): boolean => both.some(({ inFlight, parked }) => inFlight > parked);
  for (let turns = 0; busy() && turns < MOST_TURNS; turns++) await new Promise((done) => setImmediate(done));
  for (const peer of both) peer.hangUp();
  for (let turns = 0; both.some(({ inFlight }) => inFlight > 0) && turns < MOST_TURNS; turns++)
    await new Promise((done) => setImmediate(done));
  assert.deepEqual(server.faults, []);
  assert.deepEqual(server.broken(), []);
  const answers = both.flatMap(({ sent }) => sent);
  for (const answer of answers) check(answer, asked);
  assert.deepEqual(
    both.map(({ inFlight }) => inFlight),
    [0, 0],
    'a request was never answered',
  );
}

function check(answer: string, asked: readonly { readonly id: unknown; readonly method: string }[]): void {
  assert(Buffer.byteLength(answer) <= limits.replyBytes);
  const frame = decodeFrame(answer);
  assert(frame.type === 'result' || frame.type === 'error', `not an answer: ${answer}`);
  if (frame.type === 'error') {
    assert(!answer.includes('"code":"INTERNAL"'), answer);
    return;
  }
  const of = asked.filter(({ id }) => id === frame.id);
  assert(of.length > 0, `an answer to nothing: ${answer}`);
  // Two requests with the same id are the sender's own trouble.
  const fits = of.some(({ method }) => isMethod(method) && checkResult(method, frame.result).ok);
  assert(fits, `${of.map(({ method }) => method).join()} does not answer like this: ${answer.slice(0, 600)}`);
}

function idsOf(table: { entries(): Iterable<readonly [string, unknown]> }): string[] {
  return [...table.entries()].map(([id]) => id);
}

/** As it would have come, signed: some answers show the token. */
function importSigned(world: World, changed: Partial<EntitlementClaims>): void {
  const claims = entitlement({ iss: fuzzKeys.vendor.text, ...changed });
  const token = signToken('entitlement', claims, fuzzKeys.vendor.sign);
  world.ok({ type: 'import', ...world.admin(), claims, token });
}

/** An organisation with something of everything. */
function site(): { rows: Map<string, string>; device: string; known: Record<string, string[]> } {
  const world = new World();
  const anna = world.user('anna');
  importSigned(world, { seats: 4, share: 'device' });
  importSigned(world, { jti: 'ent-2', product: 'sim', seats: 1 });
  const leases = world.checkout(anna, 1).leases.map(({ jti }) => jti);
  const { by } = world.admin();
  leases.push(...world.checkout(by.device, 1).leases.map(({ jti }) => jti));
  world.send(world.borrowing(anna, 3600));
  world.send({
    type: 'assign',
    ...world.admin(),
    email: 'anna@studio.example',
    product: 'render',
    quantity: 1,
    endMs: null,
  });
  world.send({
    type: 'createMachineToken',
    ...world.admin(),
    name: 'farm',
    group: null,
    maxUses: 2,
    expiresAtMs: null,
  });
  const [token] = [...idsOf(world.state.tables.machineToken)];
  world.send({ type: 'enrolMachine', token: token ?? '', leaseKey: keyOf('node'), name: 'node-1' });
  for (const table of Object.values(world.state.tables))
    for (const [id, row] of [...table.entries()]) table.set(id, row as never);
  const rows = new Map(
    [...takeChangedRows(world.state)].flatMap(([id, row]) =>
      row === null ? [] : [[id, JSON.stringify(row)] as const],
    ),
  );
  const tables = world.state.tables;
  return {
    rows,
    device: by.device,
    known: {
      lease: [...idsOf(tables.lease)],
      leases: [...idsOf(tables.lease)],
      product: ['render', 'sim'],
      products: ['render', 'sim'],
      email: [...idsOf(tables.user)],
      id: [...idsOf(tables.entitlement), ...idsOf(tables.machineToken)],
      machine: [...idsOf(tables.device), 'node-1'],
      key: ['k'.repeat(22), 'l'.repeat(22), 'm'.repeat(16)],
      nonce: ['n'.repeat(22)],
      entitlement: [
        signToken(
          'entitlement',
          entitlement({ iss: fuzzKeys.vendor.text, jti: 'ent-3' }),
          fuzzKeys.vendor.sign,
        ),
      ],
      cursor: ['', 'render', ...oddTexts],
    },
  };
}

function generate(random: Random, known: Readonly<Record<string, readonly string[]>>): Uint8Array {
  const lines = Array.from({ length: 1 + random(5) }, (_, i) => {
    const method = pick(random, methods);
    const onAdmin =
      requests[method].paths.includes('admin') && (random(4) > 0 || requests[method].paths.length === 1);
    const params = paramsFor(method, random, known);
    const frame = {
      jsonrpc: '2.0',
      id: random(20) === 0 ? pick(random, ['a', -1, 1.5, null, 'x'.repeat(65)]) : i,
      method,
      params,
    };
    return `${onAdmin ? 'A ' : ''}${JSON.stringify(frame)}`;
  });
  return bytes(lines.join('\n'));
}

import { decodeFrame, type ErrorCode, errors, limits, paths, type UserInfo } from '@berth/protocol';
import { encodeRecord } from '@berth/server/store/journal-format';
import type { Caller, Gate } from '@berth/server/transport/api';
import { Dispatcher, type Peer } from '@berth/server/transport/dispatch';
import { defaultLimits } from '@berth/server/transport/limits';
import { describe, expect, test } from 'vitest';
import { type FrameCase, type FrameVerdict, frameText, fromHex, loadVectors } from './vectors.js';

// The vectors against berthd's own dispatcher and journal. Oversized, binary and non-UTF-8 frames never reach the dispatcher: those are
// for the tests of the listener, over a real socket.

const user: UserInfo = { email: 'admin@example.com', name: '', role: 'owner', state: 'active' };
const identity = { device: { id: 'd0001', name: 'node-17' }, user };
const server = { id: 'studio-1', key: loadVectors('tokens').keys.server!.public };

/** Lets everything through, so that only the frame itself is judged. */
const gate: Gate = {
  server,
  organisation: { name: 'Studio' },
  adminAddress: null,
  leaseSeconds: 120,
  handlers: new Proxy({} as Gate['handlers'], { get: () => async () => ({ ok: true, result: {} }) }),
  nowMs: () => 0,
  monoMs: () => 0,
  randomText: (bytes) => 'A'.repeat(Math.ceil((bytes * 4) / 3)),
  sign: () => new Uint8Array(64),
  verify: () => true,
  identify: () => identity,
  roleOf: () => 'owner',
  witnessed: () => {},
  readmits: false,
  enrol: async () => ({
    ok: true,
    result: { ...identity, device: 'd0001', server, organisation: { name: '' }, scopes: [] },
  }),
};

const opening = new Set(['session.open', 'device.enrol']);
/** What a frame is refused with for its form; any other answer shows that it reached its handler. */
const ofForm = new Set<ErrorCode>(['FRAME_INVALID', 'REQUEST_INVALID', 'METHOD_UNKNOWN', 'PARAMS_INVALID']);

async function answerTo(frame: FrameCase, text: string): Promise<string | null> {
  const decoded = decodeFrame(text);
  const isOpening = decoded.type === 'request' && opening.has(decoded.method);
  const path = frame.path === paths.admin ? 'admin' : 'lease';
  const sent: string[] = [];
  const address = '192.0.2.1';
  const ids = { session: 's1', deviceId: 'd0001', deviceKey: server.key, email: user.email };
  const caller: Caller = { ...ids, path, address, leases: new Set() };
  const peer: Peer = {
    path,
    address,
    serverNonce: 'A'.repeat(22),
    binding: () => new Uint8Array(32),
    caller: isOpening ? null : caller,
    opened: () => {},
    send: (answer) => sent.push(answer),
    close: () => {},
    fault: () => true,
    beginRequest: () => true,
    parkRequest: () => {},
    ended: new AbortController().signal,
    push: () => {},
    endRequest: () => {},
  };
  new Dispatcher(gate, defaultLimits, () => {}).receive(text, peer);
  // Everything the gate does here is settled within microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent.length).toBeLessThanOrEqual(1);
  return sent[0] ?? null;
}

function verdictOf(frame: FrameCase, answer: string | null): FrameVerdict {
  if (answer === null) return { ignored: 'notification' };
  const decoded = decodeFrame(answer);
  const wanted = frame.verdict;
  if (decoded.type === 'error') {
    const { code, field } = decoded.data as { code: ErrorCode; field?: string };
    expect(decoded.number).toBe(errors[code].number);
    if (ofForm.has(code)) return { error: code, id: decoded.id, ...(field === undefined ? {} : { field }) };
  }
  const id = decoded.type === 'result' || decoded.type === 'error' ? decoded.id : null;
  return { request: 'request' in wanted ? wanted.request : '', id: id ?? '' };
}

describe('frames', () => {
  const cases = loadVectors('frames').cases.filter(({ verdict }) => !('close' in verdict));

  test.each(cases)('$name', async (frame) => {
    const text = frameText(frame)!;
    expect(verdictOf(frame, await answerTo(frame, text))).toEqual(frame.verdict);
  });

  test('the dispatcher is given no larger frames', () => {
    expect(defaultLimits.requestBytes).toBe(limits.requestBytes);
  });
});

describe('journal', () => {
  const { records, later } = loadVectors('journal');

  test.each([...records, ...later])('the hash of record $seq', ({ seq, prev, payload, hash }) => {
    expect(encodeRecord({ seq: seq - 1, hash: prev }, fromHex(payload)).hash).toBe(hash);
  });
});

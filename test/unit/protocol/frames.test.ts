import {
  decodeFrame,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  errors,
} from '@berth/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const id = fc.oneof(fc.maxSafeInteger(), fc.string({ maxLength: 64 }));
const method = fc.string();
// Through JSON once: -0 and undefined do not survive it.
const params = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)));

describe('a frame comes back', () => {
  test('request', () => {
    fc.assert(
      fc.property(id, method, params, (i, m, p) => {
        const expected = { type: 'request', id: i === 0 ? 0 : i, method: m, params: p };
        expect(decodeFrame(encodeRequest(i, m, p))).toEqual(expected);
      }),
    );
  });

  test('notification', () => {
    fc.assert(
      fc.property(method, params, (m, p) => {
        expect(decodeFrame(encodeNotification(m, p))).toEqual({ type: 'notification', method: m, params: p });
      }),
    );
  });

  test('result', () => {
    fc.assert(
      fc.property(id, params, (i, result) => {
        expect(decodeFrame(encodeResult(i, result))).toEqual({ type: 'result', id: i === 0 ? 0 : i, result });
      }),
    );
  });

  test('error, with an id or without', () => {
    const data = { code: 'NO_SEAT', next: errors.NO_SEAT.next, rule: 'ALL_IN_USE' } as const;
    fc.assert(
      fc.property(fc.option(id), fc.string(), (i, message) => {
        const frame = decodeFrame(encodeError(i, -33_041, message, data));
        expect(frame).toEqual({ type: 'error', id: i === 0 ? 0 : i, number: -33_041, message, data });
      }),
    );
  });
});

test('any text gives a frame or a verdict, never an exception', () => {
  const near = fc
    .jsonValue()
    .map((value) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: value }));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), near), (text) => {
      const frame = decodeFrame(text);
      expect(['request', 'notification', 'result', 'error', 'invalid']).toContain(frame.type);
    }),
  );
});

test('a name of every object is a parameter like any other', () => {
  const frame = decodeFrame('{"jsonrpc":"2.0","id":1,"method":"m","params":{"__proto__":{"admin":true}}}');
  expect(frame.type).toBe('request');
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

import {
  checkParams,
  closeCodes,
  decodeFrame,
  encodeUtf8,
  errors,
  isMethod,
  limits,
  paths,
  requests,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { type FrameCase, type FrameVerdict, frameText, loadVectors } from './vectors.js';

const { cases } = loadVectors('frames');

/** What a server makes of a frame, by the functions it uses itself and in the order of PROTOCOL 3. */
function judge(frame: FrameCase): FrameVerdict {
  if (frame.binary !== undefined) return { close: 'BINARY', number: closeCodes.BINARY.number };
  const text = frameText(frame)!;
  if (encodeUtf8(text).length > limits.requestBytes)
    return { close: 'TOO_LARGE', number: closeCodes.TOO_LARGE.number };
  const decoded = decodeFrame(text);
  if (decoded.type === 'notification') return { ignored: 'notification' };
  if (decoded.type === 'invalid') return { error: decoded.code, id: decoded.id };
  if (decoded.type !== 'request') return { error: 'REQUEST_INVALID', id: null };
  const { id, method, params } = decoded;
  if (!isMethod(method) || !requests[method].paths.some((name) => paths[name] === frame.path)) {
    return { error: 'METHOD_UNKNOWN', id };
  }
  const checked = checkParams(method, params);
  return checked.ok ? { request: method, id } : { error: 'PARAMS_INVALID', id, field: checked.field };
}

// A frame that is not UTF-8 never gets this far: the WebSocket library closes with 1007 (RFC 6455 8.1).
test.each(cases.filter(({ invalidUtf8 }) => invalidUtf8 === undefined))('$name', (frame) => {
  expect(judge(frame)).toEqual(frame.verdict);
});

describe('the cases cover', () => {
  const verdicts = cases.map(({ verdict }) => verdict);

  test('every method as a request', () => {
    const seen = new Set(verdicts.flatMap((verdict) => ('request' in verdict ? [verdict.request] : [])));
    expect([...seen].sort()).toEqual(Object.keys(requests).sort());
  });

  test('every required parameter missing', () => {
    const missing = new Set(cases.map(({ name }) => name));
    for (const [method, { params }] of Object.entries(requests)) {
      for (const field of params.required ?? []) expect(missing).toContain(`${method}: no ${field}`);
    }
  });

  test('only codes of the catalogue', () => {
    for (const verdict of verdicts)
      if ('error' in verdict) expect(Object.keys(errors)).toContain(verdict.error);
  });
});

import {
  httpContexts,
  httpRequests,
  httpStatusOf,
  isErrorCode,
  requestHeaders,
  requests,
} from '@berth/protocol';
import { httpRefusals } from '@berth/server/transport/http-refusals';
import { describe, expect, test } from 'vitest';
import { codeWords, section, tableAfter } from './document.js';
import { loadVectors } from './vectors.js';

// Sections 2.1 and 13 of PROTOCOL.md against the code.

const squeezed = (number: string): string => section(number).text.replaceAll(/ +/g, ' ');

test('2.1 lists every refusal before a signature or a socket, with its status', () => {
  const rows = tableAfter(section('2.1').text, 'Requests that get no WebSocket')!;
  const written = rows.map(([status, code]) => [code!.replaceAll('`', ''), Number(status)]);
  const known = Object.entries(httpRefusals).map(([code, { status }]) => [code, status] as const);
  expect(written.sort()).toEqual(known.sort());
});

test('13 lists every path with its message', () => {
  const rows = tableAfter(section('13').text, 'the same tokens')!.map(([path, message]) => [path, message]);
  expect(rows).toEqual(
    Object.entries(httpRequests).map(([path, { method }]) => [`\`${path}\``, `\`${method}\``]),
  );
});

test('13.2 names the headers, the contexts and the signed example', () => {
  const text = squeezed('13.2');
  for (const name of Object.values(requestHeaders)) expect(text).toContain(`| \`${name}\` |`);
  for (const context of Object.values(httpContexts)) expect(text).toContain(`| context | \`${context}\` |`);
  const { request, bytes, signature } = loadVectors('http-requests').valid[0]!;
  expect(text.replaceAll(/\s/g, '')).toContain(`\`\`\`text${bytes}\`\`\``);
  for (const part of [request.deviceKey, request.challenge, request.nonce, signature, request.body])
    expect(text).toContain(part);
  expect(text).toContain(`${bytes.length / 2} bytes`);
});

describe('13.4', () => {
  const rows = tableAfter(section('13.4').text, '<!-- begin http status')!;
  const written = new Map(
    rows.flatMap(([status, codes]) => codeWords(codes!).map((code) => [code, Number(status)] as const)),
  );

  test('has every error of the three messages and of the checks, with its status', () => {
    const own = Object.values(httpRequests).flatMap(({ method }) => requests[method].errors);
    const checks = codeWords(section('13.3').text).filter(isErrorCode);
    for (const code of [...own, ...checks]) expect(written.get(code), code).toBe(httpStatusOf(code));
  });

  test('a status says what kind of error it is', () => {
    expect(written.get('NO_SEAT')).toBe(409);
    expect(written.get('PARAMS_INVALID')).toBe(400);
    expect(written.get('SIGNATURE_INVALID')).toBe(401);
    expect(written.get('NOT_ALLOWED')).toBe(403);
    expect(written.get('LEASE_UNKNOWN')).toBe(404);
    expect(written.get('RATE_LIMITED')).toBe(429);
    expect(written.get('DRAINING')).toBe(503);
    expect([...written.values()].every((status) => status >= 400 && status <= 503)).toBe(true);
  });
});

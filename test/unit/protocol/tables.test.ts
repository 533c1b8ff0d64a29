import {
  closeCodes,
  errorCodeOf,
  errors,
  isErrorCode,
  isMethod,
  isPush,
  type Method,
  pushes,
  type Role,
  requests,
  roleAtLeast,
  roleOrder,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';

describe('errors', () => {
  test('each has its own number, and is found by it', () => {
    for (const [code, { number }] of Object.entries(errors)) expect(errorCodeOf(number)).toBe(code);
    expect(errorCodeOf(0)).toBeUndefined();
  });

  test('numbers are JSON-RPC 2.0 ones or our own, outside its reserved range', () => {
    const own = Object.values(errors).filter(({ number }) => number < -33_000 && number > -34_000);
    const reserved = Object.values(errors).filter(({ number }) => number >= -32_768 && number <= -32_000);
    expect(reserved.map(({ number }) => number)).toEqual([-32_700, -32_600, -32_601, -32_602, -32_603]);
    expect(own.length + reserved.length).toBe(Object.keys(errors).length);
  });

  test('each says what happened and what to do next, in a sentence', () => {
    for (const [code, { text, next }] of Object.entries(errors)) {
      expect(text, code).toMatch(/^[A-Z].+\.$/);
      expect(next, code).toMatch(/^[A-Z].+\S$/);
    }
  });

  test('names of every object are no codes', () => {
    for (const name of ['constructor', '__proto__', 'toString', '']) {
      expect(isErrorCode(name)).toBe(false);
      expect(isMethod(name)).toBe(false);
      expect(isPush(name)).toBe(false);
    }
  });
});

test('close codes are RFC 6455 ones or private, each once', () => {
  const numbers = Object.values(closeCodes).map(({ number }) => number);
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const number of numbers)
    expect([1000, 1001, 1009].includes(number) || (number >= 4000 && number < 5000)).toBe(true);
});

describe('messages', () => {
  test('a name is a request or a push, never both', () => {
    for (const name of Object.keys(pushes)) expect(isMethod(name)).toBe(false);
  });

  test('a changing request carries a key, except enrolment, whose keys are in it', () => {
    for (const [method, { changes, params }] of Object.entries(requests)) {
      expect('key' in params.properties, method).toBe(changes && method !== 'device.enrol');
    }
  });

  test('a request lists only errors of its own, each once', () => {
    const general = [
      'FRAME_INVALID',
      'REQUEST_INVALID',
      'METHOD_UNKNOWN',
      'PARAMS_INVALID',
      'INTERNAL',
      'BUSY',
    ];
    for (const [method, row] of Object.entries(requests)) {
      expect(new Set(row.errors).size, method).toBe(row.errors.length);
      for (const code of general) expect(row.errors, method).not.toContain(code);
    }
  });

  test('what asks ahead may be asked by whom, and is refused as, the change itself', () => {
    // A row at a time is asked ahead of a whole table, which `bulk.apply` takes without looking at them.
    const asked = methods.filter((method) => method.endsWith('.preview') && method !== 'bulk.preview');
    expect(asked.length).toBeGreaterThanOrEqual(13);
    for (const method of asked) {
      const [ahead, change] = [requests[method], requests[method.replace('.preview', '') as Method]];
      expect([ahead.changes, ahead.least, ahead.paths], method).toEqual([false, change.least, change.paths]);
      const without = onlyOfChanges.flatMap(({ param, code }) =>
        param in change.params.properties && !(param in ahead.params.properties) ? [code] : [],
      );
      // The request of a machine is its own key, and what became of it before is known ahead.
      if (method === 'borrow.grant.preview') without.splice(0);
      else expect(without, method).toContain('KEY_REUSED');
      const codes = change.errors.filter((code) => !without.includes(code));
      expect([...ahead.errors].sort(), method).toEqual(codes.sort());
    }
  });
});

const methods = Object.keys(requests) as Method[];

/** Refusals for a parameter that what asks ahead does not take. */
const onlyOfChanges: readonly { readonly param: string; readonly code: string }[] = [
  { param: 'key', code: 'KEY_REUSED' },
  { param: 'was', code: 'CHANGED_MEANWHILE' },
];

test('roles: owner > admin > viewer > user', () => {
  expect(roleOrder).toEqual(['owner', 'admin', 'viewer', 'user']);
  const allowed = (least: Role) => roleOrder.filter((role) => roleAtLeast(role, least));
  expect(allowed('user')).toEqual(['owner', 'admin', 'viewer', 'user']);
  expect(allowed('admin')).toEqual(['owner', 'admin']);
  expect(allowed('owner')).toEqual(['owner']);
});

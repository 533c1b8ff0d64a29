import { borrowFreeAtMs, onlineWindowMs } from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { loadVectors } from './vectors.js';

const { online, borrow } = loadVectors('windows');

describe('the hold of an online lease', () => {
  test.each(online)('D = $durationMs ms', ({ durationMs, windowMs }) => {
    expect(onlineWindowMs(durationMs)).toBe(windowMs);
  });
});

describe('the hold of a borrow', () => {
  test.each(borrow)('until $expiresAtMs', ({ issuedAtMs, expiresAtMs, freeAtMs }) => {
    expect(borrowFreeAtMs(issuedAtMs, expiresAtMs)).toBe(freeAtMs);
  });
});

import { toFailure } from '@berth/cli/fail';
import {
  parseCount,
  parseDay,
  parseDurationSeconds,
  parseEmail,
  parseId,
  parseName,
  parseProduct,
} from '@berth/cli/parse';
import { describe, expect, it } from 'vitest';

const codeOf = (call: () => unknown): string | undefined => {
  try {
    call();
    return undefined;
  } catch (error) {
    return toFailure(error).code;
  }
};

describe('durations', () => {
  it.each([
    ['30s', 30],
    ['10m', 600],
    ['2h', 7200],
    ['3d', 259_200],
    ['1w', 604_800],
    ['1d12h', 129_600],
    ['0', 0],
    ['0s', 0],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDurationSeconds(text, '--for')).toBe(seconds);
  });

  it.each(['', '3', 'd', '3 d', '-3d', '3D', '1.5h', '3y', '99999999999w', '999999999w'.repeat(9)])(
    '%j is none',
    (text) => {
      expect(codeOf(() => parseDurationSeconds(text, '--for'))).toBe('USAGE');
    },
  );
});

describe('numbers', () => {
  it.each(['', '0', '-1', '1.5', '1e3', '0x10', ' 3', '4', '99999999999999999999'])(
    '%j is not from 1 to 3',
    (text) => {
      expect(codeOf(() => parseCount(text, '--seats', 1, 3))).toBe('USAGE');
    },
  );
  it('takes the ends of its range', () => {
    expect([parseCount('1', '--seats', 1, 3), parseCount('3', '--seats', 1, 3)]).toEqual([1, 3]);
  });
});

describe('names', () => {
  it('takes days that exist', () => {
    expect(parseDay(' 2028-02-29 ', '--from')).toBe('2028-02-29');
    expect(codeOf(() => parseDay('2026-02-29', '--from'))).toBe('DATE_INVALID');
    expect(codeOf(() => parseDay('09/05/2027', '--from'))).toBe('DATE_INVALID');
  });
  it('makes e-mail addresses canonical', () => {
    expect(parseEmail(' Anna@Studio.Example ')).toBe('anna@studio.example');
    expect(codeOf(() => parseEmail('anna'))).toBe('EMAIL_INVALID');
  });
  it('refuses names a spreadsheet would run', () => {
    expect(codeOf(() => parseName('=1+1'))).toBe('NAME_INVALID');
  });
  it('refuses ids and products of other shapes', () => {
    expect(codeOf(() => parseProduct('../x', '--product'))).toBe('USAGE');
    expect(codeOf(() => parseId('', 'ID'))).toBe('USAGE');
    expect(parseId('ent-1:2.3_4', 'ID')).toBe('ent-1:2.3_4');
  });
});

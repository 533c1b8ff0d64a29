import { canonicalText } from '@berth/protocol';
import { expect, test } from 'vitest';

test('keeps plain text in any script, and its lines', () => {
  expect(canonicalText('  Please save:\r\nit is needed at 18:00 ☕ 東京 🚢\r ', 100)).toBe(
    'Please save:\nit is needed at 18:00 ☕ 東京 🚢',
  );
});

test.each([
  ['nothing', ' \n '],
  ['an escape sequence', 'a\u001b[31mb'],
  ['a bell', 'a\u0007b'],
  ['a tab', 'a\tb'],
  ['a C1 control', 'a\u009bb'],
  ['a line separator', 'a\u2028b'],
  ['text that turns the direction', 'a\u202eb'],
  ['half a surrogate pair', 'a\ud83d'],
  ['the other half', '\udea2b'],
  ['too much', 'x'.repeat(101)],
])('refuses %s', (_, text) => {
  expect(canonicalText(text, 100)).toBeNull();
});

test('as much as may be', () => {
  expect(canonicalText('x'.repeat(100), 100)).toHaveLength(100);
});

import { canonicalEmail, canonicalName, limits } from '@berth/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('e-mail addresses', () => {
  test.each([
    ['Kaja.Lund@Example.COM', 'kaja.lund@example.com'],
    ['  a@b.dk\r\n', 'a@b.dk'],
    ['\ufeffa@b.dk', 'a@b.dk'],
    ["o'brien+farm@x-y.example.com", "o'brien+farm@x-y.example.com"],
    [`${'x'.repeat(64)}@example.com`, `${'x'.repeat(64)}@example.com`],
  ])('%j is %j', (text, email) => expect(canonicalEmail(text)).toBe(email));

  test.each([
    '',
    '@',
    'a',
    'a@',
    '@b.dk',
    'a@b',
    'a@@b.dk',
    'a@b.dk@c.dk',
    'a b@c.dk',
    '.a@b.dk',
    'a.@b.dk',
    'a..b@c.dk',
    'a@-b.dk',
    'a@b-.dk',
    'a@b..dk',
    'a@.dk',
    'a@b.dk.',
    'a@b_c.dk',
    'a,b@c.dk',
    'a@b.dk;c@d.dk',
    '<a@b.dk>',
    `${'x'.repeat(65)}@example.com`,
    `a@${'x'.repeat(64)}.dk`,
    `a@${'x.'.repeat(130)}dk`,
    'søren@example.com',
    'a@bücher.example',
    'a\u0000@b.dk',
    'a\n@b.dk',
  ])('%j is refused', (text) => expect(canonicalEmail(text)).toBeNull());

  test('a letter that only becomes ASCII in lower case is still not ASCII', () => {
    expect('\u212a'.toLowerCase()).toBe('k'); // the Kelvin sign
    expect(canonicalEmail('\u212aaja@example.com')).toBeNull();
    expect(canonicalEmail('kaja@\u212ajeld.example')).toBeNull();
  });

  test('any text is refused or becomes canonical at once', () => {
    const near = fc
      .tuple(fc.string(), fc.constantFrom('@', '.@', '@@'), fc.constantFrom('b.dk', 'B.DK', 'b', 'b..dk'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), near, fc.emailAddress()), (text) => {
        const email = canonicalEmail(text);
        if (email === null) return;
        expect(canonicalEmail(email)).toBe(email);
        expect(email).toMatch(/^[\x21-\x7e]+$/);
        expect(email.length).toBeLessThanOrEqual(limits.emailChars);
      }),
    );
  });
});

describe('names', () => {
  test.each([
    ['  Kaja Ærø ', 'Kaja Ærø'],
    ['', ''],
    ['東京', '東京'],
    ['a=b', 'a=b'],
    ['x'.repeat(120), 'x'.repeat(120)],
  ])('%j is %j', (text, name) => expect(canonicalName(text)).toBe(name));

  test.each([
    '=1+1',
    ' =1+1',
    '+45 12',
    '-1',
    '@SUM(A1)',
    'a\tb',
    'a\nb',
    'a\u0000',
    'a\u007f',
    'a\u0085b',
    'a\u2028b',
    '\u202eAnna',
    'An\u202ana',
    'Anna\u2066',
    'Anna\u2069 Ek',
    'Anna\u200f',
    'Anna\ud800',
    'x'.repeat(121),
  ])('%j is refused', (text) => expect(canonicalName(text)).toBeNull());

  test('any text is refused or becomes a name that stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const name = canonicalName(text);
        if (name === null) return;
        expect(canonicalName(name)).toBe(name);
        expect(name).not.toMatch(/^[=+\-@]/);
      }),
    );
  });
});

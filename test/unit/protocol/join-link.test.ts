import { DEFAULT_PORT, formatAddress, formatJoinLink, parseAddress, parseJoinLink } from '@berth/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().filter((text) => text.includes(':')),
);
const port = fc.integer({ min: 1, max: 65_535 });
const token = fc.stringMatching(/^[A-Za-z0-9_.-]{16,200}$/);

test('a link comes back', () => {
  fc.assert(
    fc.property(host, port, fc.uint8Array({ minLength: 32, maxLength: 32 }), token, (h, p, serverKey, t) => {
      const link = { host: h, port: p, serverKey, token: t };
      expect(parseJoinLink(formatJoinLink(link))).toEqual(link);
    }),
  );
});

test('a link is one word that a shell leaves alone between quotes', () => {
  fc.assert(
    fc.property(host, port, token, (h, p, t) => {
      const text = formatJoinLink({ host: h, port: p, serverKey: new Uint8Array(32), token: t });
      expect(text).toMatch(/^[A-Za-z0-9:/?&=.[\]_-]+$/);
    }),
  );
});

test('an address comes back', () => {
  fc.assert(
    fc.property(host, port, (h, p) => {
      expect(parseAddress(formatAddress({ host: h, port: p }))).toEqual({ host: h, port: p });
    }),
  );
});

test('any text is read or refused', () => {
  const near = fc
    .array(
      fc.constantFrom(
        'berth://',
        'host',
        ':7433',
        '/?',
        'key=',
        'ed25519:',
        '&',
        'token=',
        '[',
        ']',
        '%',
        ' ',
      ),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      parseJoinLink(text);
      const address = parseAddress(text);
      if (address !== null) expect(address.port >= 1 && address.port <= 65_535).toBe(true);
    }),
  );
});

test('the port', () => expect(DEFAULT_PORT).toBe(7433));

import {
  formatJoinLink,
  formatPublicKey,
  parseAddress,
  parseJoinLink,
  parsePublicKey,
} from '@berth/protocol';
import { describe, expect, test } from 'vitest';
import { loadVectors, toHex } from './vectors.js';

const { links, addresses, keys } = loadVectors('links');

describe('join links', () => {
  test.each(links)('$name', ({ text, link, canonical }) => {
    const parsed = parseJoinLink(text);
    expect(parsed && { ...parsed, serverKey: formatPublicKey(parsed.serverKey) }).toEqual(link);
    if (canonical) expect(formatJoinLink(parsed!)).toBe(text);
  });
});

describe('addresses', () => {
  test.each(addresses)('"$text"', ({ text, address }) => expect(parseAddress(text)).toEqual(address));
});

describe('keys', () => {
  test.each(keys)('$text', ({ text, public: expected }) => {
    const bytes = parsePublicKey(text);
    expect(bytes && toHex(bytes)).toBe(expected);
  });
});

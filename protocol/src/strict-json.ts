import { limits } from './limits.js';

const memberName = /^[A-Za-z][A-Za-z0-9_]*$/;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The value of a token's payload, or `undefined` unless the text is its one spelling (PROTOCOL 4.1): compact, no name twice,
 * integers only, within +-(2^53 - 1). Every rule is one that any language's parser can check, so that no two verifiers
 * read a token differently.
 */
export function parseStrictJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // JSON.stringify writes each value in one way; a duplicate name, white space or `1.0` does not survive it.
    return isStrict(value, limits.tokenDepth) && JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStrict(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (typeof value === 'string') return !loneSurrogate.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  return Object.entries(value).every(
    ([name, member]) => (Array.isArray(value) || memberName.test(name)) && isStrict(member, depth - 1),
  );
}

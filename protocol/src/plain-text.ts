/**
 * What an administrator writes to somebody, as it is kept and shown: trimmed, lines ended by `\n`, at least one character. `null` when it is
 * empty, too long, or has characters that would drive a terminal or turn the direction of writing.
 */
export function canonicalText(text: string, maxChars: number): string | null {
  const plain = text.replaceAll(/\r\n?/g, '\n').trim();
  if (plain === '' || plain.length > maxChars) return null;
  return controls.test(plain) || isMisleading(plain) ? null : plain;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused.
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;
/** True for text that is not what it looks like: it turns the direction of writing, or is no whole text. */
export function isMisleading(text: string): boolean {
  return misleading.test(text);
}

/** Marks and embeddings that turn the direction of writing, and halves of surrogate pairs. */
const misleading =
  /[\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type Body = { readonly bytes: Buffer; readonly sha256: Uint8Array };

/**
 * The body of a request, or why there is none. It never holds more than `maxBytes`, whatever the client announces; how slowly it may come is
 * limited by the listener (`requestMs`).
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Body | 'BODY_TOO_LARGE' | 'ABORTED'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return 'BODY_TOO_LARGE';
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) return 'BODY_TOO_LARGE';
      chunks.push(chunk);
    }
  } catch {
    return 'ABORTED';
  }
  const bytes = Buffer.concat(chunks);
  return { bytes, sha256: sha256(bytes) };
}

export function sha256(bytes: Uint8Array | string): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/** `application/json`, whatever is said about its charset: JSON is UTF-8. */
export function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

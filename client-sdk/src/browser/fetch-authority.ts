import { BerthError } from '../errors.js';
import { cancelled } from '../waiting.js';
import { unreachable } from './unreachable.js';

/** No browser leaves a certificate unchecked; what comes back proves itself all the same. @throws BerthError UNREACHABLE, TIMEOUT, CANCELLED */
export async function fetchAuthorityText(
  url: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const all = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const response = await fetch(url, {
      signal: all,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    if (response.ok) return await response.text();
    throw new BerthError('UNREACHABLE', {
      message: `${new URL(url).host} answers with HTTP ${response.status}.`,
    });
  } catch (error) {
    if (error instanceof BerthError) throw error;
    if (signal?.aborted === true) throw cancelled();
    throw limit.aborted ? new BerthError('TIMEOUT') : unreachable(url, error);
  }
}

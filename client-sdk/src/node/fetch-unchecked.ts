import type { ClientRequest } from 'node:http';
import { get } from 'node:https';
import { BerthError } from '../errors.js';
import { cancelled } from '../waiting.js';
import { reachError } from './reach-error.js';

/** A CA bundle is a few KiB; more is not one. */
const MAX_BODY_BYTES = 256 * 1024;

/** GET without verifying the certificate. @throws BerthError UNREACHABLE, TIMEOUT, CANCELLED */
export function fetchUnchecked(url: string, timeoutMs: number, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request: ClientRequest = get(
      url,
      { rejectUnauthorized: false, agent: false, signal },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > MAX_BODY_BYTES) request.destroy(new BerthError('UNREACHABLE'));
        });
        response.on('error', (error) => reject(reachError(error)));
        response.on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
          else reject(wrongStatus(url, statusCode));
        });
      },
    );
    const timer = setTimeout(() => request.destroy(new BerthError('TIMEOUT')), timeoutMs);
    request.on('close', () => clearTimeout(timer));
    request.on('error', (error) => reject(signal?.aborted === true ? cancelled() : reachError(error)));
  });
}

function wrongStatus(url: string, status: number): BerthError {
  const { host } = new URL(url);
  return new BerthError('UNREACHABLE', { message: `${host} answers with HTTP ${status}.` });
}

import {
  encodeBase64Url,
  encodeUtf8,
  formatAddress,
  type JoinLink,
  parseToken,
  strictly,
} from '@berth/protocol';
import { asBerthError, BerthError } from './errors.js';
import type { Host } from './host.js';
import { newNonce } from './random.js';
import { object, parseJson, text } from './shape.js';
import { timing } from './timing.js';

const answerShape = object({ ca: text, token: text });

/**
 * Asks a server that is known by its key alone which certificate authority to trust (PROTOCOL 2.2). The connection itself proves nothing;
 * the answer is signed by the key of the link over this request's nonce. @returns the authorities as PEM
 * @throws BerthError UNREACHABLE, TIMEOUT, SERVER_MISMATCH, CANCELLED
 */
export async function fetchAuthority(
  host: Host,
  link: Pick<JoinLink, 'host' | 'port' | 'serverKey'>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const nonce = newNonce(host);
  const address = formatAddress(link);
  const url = `https://${address}/ca?nonce=${nonce}`;
  const body = await host.fetchUnchecked(url, timing.openMs, signal).catch((thrown: unknown) => {
    throw attemptAt(address, asBerthError(thrown));
  });
  const answer = parseJson(body, answerShape);
  if (answer === undefined) {
    throw new BerthError('UNREACHABLE', { message: `What answers at ${address} is not a licence server.` });
  }
  const sha256 = encodeBase64Url(await host.sha256(encodeUtf8(answer.ca)));
  const parsed = parseToken('authority', answer.token);
  const genuine =
    parsed.ok &&
    parsed.token.claims.nonce === nonce &&
    parsed.token.claims.sha256 === sha256 &&
    strictly(host.verify)(link.serverKey, parsed.token.signed, parsed.token.signature);
  if (genuine) return answer.ca;
  throw new BerthError('SERVER_MISMATCH', {
    message: `The server at ${address} is not the one the link was made for.`,
    hint: 'Check the link; if the server was replaced, ask an admin for a new one.',
  });
}

/** The same failure with the address that was tried: whoever reads it must see a wrong port. */
function attemptAt(address: string, error: BerthError): BerthError {
  const { code, message, hint } = error;
  if (code !== 'UNREACHABLE' && code !== 'TIMEOUT') return error;
  return new BerthError(code, { message, hint, servers: [{ address, code, message }] });
}

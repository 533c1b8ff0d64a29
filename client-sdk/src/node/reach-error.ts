import { BerthError, describe } from '../errors.js';

/** What OpenSSL and Node call a certificate that does not lead to a trusted authority, or is for another host or time. */
const certificateCodes = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there.',
  ECONNRESET: 'The connection was reset.',
  EHOSTUNREACH: 'No route to the host.',
  ENETUNREACH: 'No route to the network.',
  ENOTFOUND: 'There is no host of that name.',
  EAI_AGAIN: 'The name cannot be looked up at the moment.',
  ETIMEDOUT: 'No answer.',
  EPROTO: 'What answers there does not speak TLS 1.3.',
};

/** Why a server could not be reached, from what Node threw. */
export function reachError(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  const code = codeOf(error);
  if (certificateCodes.has(code)) {
    const timed = code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED';
    return new BerthError('CERTIFICATE_UNTRUSTED', {
      message: `The server's certificate is not trusted: ${describe(error)}.`,
      hint: timed ? 'Check the clock of this computer, then the certificate of the server.' : undefined,
      cause: error,
    });
  }
  return new BerthError('UNREACHABLE', {
    message: sentences[code] ?? `${describe(error)}.`,
    detail: { cause: code },
    cause: error,
  });
}

/** Several addresses of one name may fail together (happy eyeballs): the first says it. */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

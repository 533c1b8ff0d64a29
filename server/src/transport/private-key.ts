/** Whether a private key is whole: OpenSSL compares only its public half with the certificate. No I/O. */
import { type KeyObject, sign, verify, type X509Certificate } from 'node:crypto';

/**
 * A damaged private half signs wrongly, or only one day: of RSA every number is held against the others, since OpenSSL makes good for
 * some of them as it signs, and whoever makes certificates with the same key does not.
 */
export function isWholeKey(key: KeyObject, certificate: X509Certificate): boolean {
  if (key.asymmetricKeyType === 'rsa' && !isWholeRsa(key)) return false;
  const digest = key.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256';
  const message = Buffer.from('self-test');
  try {
    return verify(digest, message, certificate.publicKey, sign(digest, message, key));
  } catch {
    return false;
  }
}

/** RFC 8017 3.2, for two primes. */
function isWholeRsa(key: KeyObject): boolean {
  const jwk = key.export({ format: 'jwk' });
  const of = (text: string | undefined): bigint =>
    BigInt(`0x0${Buffer.from(text ?? '', 'base64url').toString('hex')}`);
  const [n, e, d, p, q] = [of(jwk.n), of(jwk.e), of(jwk.d), of(jwk.p), of(jwk.q)];
  if (p < 2n || q < 2n || p * q !== n) return false;
  return (
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    of(jwk.dp) === d % (p - 1n) &&
    of(jwk.dq) === d % (q - 1n) &&
    (q * of(jwk.qi)) % p === 1n
  );
}

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import type { BackupHead, Cipher } from '@berth/protocol';

// PROTOCOL 11.2 with Node's cryptography. The server has one of its own: neither imports the other, and the protocol is without I/O.

const LOG_N = 16;
const TAG_BYTES = 16;

/** A key of its own for a new file. */
export async function newCipher(passphrase: string): Promise<{ head: BackupHead; cipher: Cipher }> {
  const cost = { logN: LOG_N, r: 8, p: 1 } as const;
  const salt = randomBytes(16).toString('base64url');
  const { key, check } = await derive(passphrase, { ...cost, salt });
  return { head: { berth: 'backup', version: 1, kdf: 'scrypt', ...cost, salt, check }, cipher: gcm(key) };
}

/** `null`: it is another passphrase. */
export async function cipherOf(passphrase: string, head: BackupHead): Promise<Cipher | null> {
  const { key, check } = await derive(passphrase, head);
  return check === head.check ? gcm(key) : null;
}

async function derive(
  passphrase: string,
  { logN, r, p, salt }: Pick<BackupHead, 'logN' | 'r' | 'p' | 'salt'>,
): Promise<{ key: Buffer; check: string }> {
  const cost = { N: 2 ** logN, r, p, maxmem: 2 * 128 * r * 2 ** logN };
  const secret = Buffer.from(passphrase.normalize('NFC'));
  const bytes = await new Promise<Buffer>((resolve, reject) =>
    scrypt(secret, Buffer.from(salt, 'base64url'), 48, cost, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    ),
  );
  return { key: bytes.subarray(0, 32), check: bytes.subarray(32).toString('base64url') };
}

function gcm(key: Buffer): Cipher {
  return {
    seal: (nonce, beside, plain) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(beside);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (nonce, beside, sealed) => {
      const at = sealed.length - TAG_BYTES;
      if (at < 0) return null;
      const cipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(beside).setAuthTag(sealed.subarray(at));
      try {
        return Buffer.concat([cipher.update(sealed.subarray(0, at)), cipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import type { BackupHead, Cipher } from '@berth/protocol';

/** 64 MiB and a fifth of a second for each guess. */
const LOG_N = 16;
const TAG_BYTES = 16;

/** A key of its own for a new file (PROTOCOL 11.2). */
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
  const options = { N: 2 ** logN, r, p, maxmem: 2 * 128 * r * 2 ** logN };
  const bytes = await new Promise<Buffer>((resolve, reject) =>
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64url'), 48, options, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    ),
  );
  return { key: bytes.subarray(0, 32), check: bytes.subarray(32).toString('base64url') };
}

/** AES-256-GCM. No nonce occurs twice: the key is the file's own, and the nonce the number of the chunk. */
function gcm(key: Buffer): Cipher {
  return {
    seal: (nonce, beside, plain) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(beside);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (nonce, beside, sealed) => {
      if (sealed.length < TAG_BYTES) return null;
      const at = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(beside).setAuthTag(sealed.subarray(at));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, at)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

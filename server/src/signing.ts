import type { KeyObject } from 'node:crypto';
import { nativeSigner } from './ed25519.js';
import { Issuer, type Signer } from './engine/issuer.js';
import { SigningThread, type SigningThreadOptions } from './signing-thread.js';

/** Everything that signs with the server's key. */
export interface Signing {
  readonly sign: Signer;
  readonly issuer: Issuer;
  /** `null`: the signer was injected, and is used as it is. */
  readonly thread: SigningThread | null;
}

/** @param injected left out: natively, renewals of a turn on a thread of their own */
export function openSigning(
  injected: Signer | undefined,
  key: KeyObject,
  onFatal: SigningThreadOptions['onFatal'],
): Signing {
  if (injected !== undefined) return { sign: injected, issuer: new Issuer(injected), thread: null };
  const sign = nativeSigner(key);
  const thread = new SigningThread({ key, onFatal });
  return { sign, issuer: new Issuer(sign, (texts) => thread.sign(texts)), thread };
}

import { parsePublicKey } from '@berth/protocol';
import { fetchAuthority } from './authority.js';
import type { Context } from './context.js';
import type { Files, Host } from './host.js';
import { IdentityStore } from './identity-store.js';

/** The certificate authorities to trust for a server whose key is pinned. */
export interface Trust {
  readonly caPem: string;
  /**
   * Asks the server whether it has another authority now: its key signs the answer, so IT may replace the certificate and the authority
   * without anybody joining again (PROTOCOL 2.2). @returns true when there is something new to trust. Never throws.
   */
  renew(address: { host: string; port: number }, signal: AbortSignal | undefined): Promise<boolean>;
}

/** What was just learned from the server itself. */
export function freshTrust(caPem: string): Trust {
  return { caPem, renew: async () => false };
}

/** That of a joined context, which keeps what is learned. */
export class ContextTrust implements Trust {
  readonly #host: Host;
  readonly #files: Files;
  readonly #context: Context;
  #caPem: string;

  constructor(host: Host, files: Files, context: Context) {
    this.#host = host;
    this.#files = files;
    this.#context = context;
    this.#caPem = context.caPem;
  }

  get caPem(): string {
    return this.#caPem;
  }

  async renew(address: { host: string; port: number }, signal: AbortSignal | undefined): Promise<boolean> {
    const serverKey = parsePublicKey(this.#context.serverKey);
    if (serverKey === null) return false;
    const before = this.#caPem;
    try {
      const caPem = await fetchAuthority(this.#host, { ...address, serverKey }, signal);
      if (caPem === before) return this.#caPem !== before;
      this.#caPem = caPem;
    } catch {
      // Not our server, or not to be reached: what was found out first says more.
      return false;
    }
    await this.#keep();
    return true;
  }

  /** A folder that cannot be written costs one more question at the next start. */
  async #keep(): Promise<void> {
    try {
      const store = new IdentityStore(this.#files);
      const { caPem: _, ...context } = await store.read(this.#context.name);
      await store.save({ ...context, caPem: this.#caPem });
    } catch {
      // See above.
    }
  }
}

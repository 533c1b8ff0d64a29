/** Keeps the certificate that is served: renews it in time, takes over a new one, says what is wrong with it. */
import { type CertificateProblem, type Checked, refuse } from './certificate-checks.js';
import type { TlsIdentity } from './certificate-files.js';

/** What is worth a line in the log. */
export type CertificateNews =
  | { readonly type: 'taken'; readonly tls: TlsIdentity }
  | { readonly type: 'refused'; readonly problem: CertificateProblem }
  | { readonly type: 'expiring'; readonly tls: TlsIdentity }
  | { readonly type: 'uncovered'; readonly names: readonly string[] };

export interface CertificateKeeperOptions {
  /** Reads the files, and makes what is due (`loadOrCreateTls`). */
  readonly load: () => Promise<Checked<TlsIdentity>>;
  readonly nowMs: () => number;
  /** The names by which IT said that clients come: a certificate that misses one of them is worth a warning. */
  readonly asked: () => readonly string[];
  readonly onNews: (news: CertificateNews) => void;
}

/** Daily: a renewal has more than a hundred days, and IT's own file is looked at as often. */
const LOOK_EVERY_MS = 86_400_000;
/** IT needs time to have one signed. */
export const EXPIRING_MS = 30 * 86_400_000;

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #onTaken = new Set<(tls: TlsIdentity) => void>();
  readonly #timer: NodeJS.Timeout;
  #current: TlsIdentity;
  #work: Promise<unknown> = Promise.resolve();

  constructor(first: TlsIdentity, options: CertificateKeeperOptions) {
    this.#current = first;
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    this.#judge(first);
  }

  get current(): TlsIdentity {
    return this.#current;
  }

  /** True when less than 30 days are left: for `/readyz`. */
  get expiring(): boolean {
    return this.#current.notAfterMs - this.#options.nowMs() < EXPIRING_MS;
  }

  /** Told each certificate that is to be served from now on. */
  onTaken(take: (tls: TlsIdentity) => void): void {
    this.#onTaken.add(take);
  }

  /** Looks at the files now, one look after the other. What cannot be served changes nothing. */
  look(load = this.#options.load): Promise<Checked<TlsIdentity>> {
    const looked = this.#work.then(() => this.#look(load));
    this.#work = looked.catch(() => undefined);
    return looked;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(load: CertificateKeeperOptions['load']): Promise<Checked<TlsIdentity>> {
    const loaded = await load().catch(unwritten);
    if (loaded.ok) this.#take(loaded.value);
    else this.#options.onNews({ type: 'refused', problem: loaded.problem });
    return loaded;
  }

  #take(tls: TlsIdentity): void {
    const { key, cert, ca } = this.#current;
    if (tls.key !== key || tls.cert !== cert || tls.ca !== ca) {
      this.#current = tls;
      for (const take of this.#onTaken) take(tls);
      this.#options.onNews({ type: 'taken', tls });
    }
    this.#judge(tls);
  }

  #judge(tls: TlsIdentity): void {
    if (this.expiring) this.#options.onNews({ type: 'expiring', tls });
    const names = this.#options.asked().filter((name) => tls.uncovered.includes(name));
    if (names.length > 0) this.#options.onNews({ type: 'uncovered', names });
  }
}

/** A disk that is full or read-only ends nothing: what is served is good for months yet, and the next look tries again. */
function unwritten(error: unknown): Checked<never> {
  const reason = error instanceof Error ? error.message : String(error);
  return refuse(
    'tls',
    `could not be renewed (${reason})`,
    'Make room, and let berthd write its data folder.',
  );
}

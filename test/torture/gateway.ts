import { connect } from 'node:net';

/** How often somebody looks while clients wait, and how long one waits before it dials into the void after all, ms. */
const EVERY_MS = 25;
const PATIENCE_MS = 2_000;

/**
 * Lets dials through when the server listens. Sixty clients that dial a dead server ten times a second are most of what a round costs;
 * this way one looks for all of a process, and they come back in the same moment.
 */
export class Gateway {
  readonly #host: string;
  readonly #port: number;
  #waiting: Promise<void> | null = null;

  /** @param server `host:port` */
  constructor(server: string) {
    const [host = '', port = ''] = server.split(':');
    this.#host = host;
    this.#port = Number(port);
  }

  /** Resolves when the server listens, or after a while. */
  pass(): Promise<void> {
    this.#waiting ??= this.#look(performance.now() + PATIENCE_MS).finally(() => {
      this.#waiting = null;
    });
    return this.#waiting;
  }

  #look(untilMs: number): Promise<void> {
    return new Promise((resolve) => {
      const probe = connect({ host: this.#host, port: this.#port });
      probe.once('connect', () => {
        probe.destroy();
        resolve();
      });
      probe.once('error', () => {
        if (performance.now() >= untilMs) resolve();
        else setTimeout(() => resolve(this.#look(untilMs)), EVERY_MS);
      });
    });
  }
}

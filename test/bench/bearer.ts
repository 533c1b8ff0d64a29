import type { Frame } from '../hostile/peer.js';
import { newNonce } from '../system/device-keys.js';
import { type Burst, burst } from './burst.js';
import { frame, type Line } from './line.js';
import type { LoadFacts, Run } from './orders.js';
import { Verifier } from './verifier.js';

/** Leases in one release: a frame of 16 KiB has room for 64, with their ids. */
const AT_ONCE = 64;

interface Judged extends Burst {
  readonly verified: number;
}

/** Asks for leases, looks at what came, remembers what it has, and gives it back. */
export class Bearer {
  readonly #facts: LoadFacts;
  /** Every lease it was ever given. */
  readonly granted: string[] = [];
  readonly #held = new Map<Line, string[]>();
  readonly #verifier: Verifier;

  constructor(facts: LoadFacts) {
    this.#facts = facts;
    this.#verifier = new Verifier(facts);
  }

  /** One burst. Whatever must be there before is taken, and whatever was taken is given back, while the clock stands. */
  async burst(lines: readonly Line[], order: Run): Promise<Judged> {
    this.#verifier.taken();
    const measured = await this.#operations[order.operation](lines, order);
    return { ...measured, verified: this.#verifier.taken() };
  }

  /** Everything that it has; its connections may end then. */
  async giveBack(lines: readonly Line[]): Promise<void> {
    await this.#release(lines, AT_ONCE);
  }

  readonly #operations: {
    readonly [O in Run['operation']]: (lines: readonly Line[], order: Run) => Promise<Burst>;
  } = {
    checkout: async (lines, order) => {
      const taken = await this.#take(lines, order);
      await this.#release(lines, AT_ONCE);
      return taken;
    },
    release: async (lines, order) => {
      await this.#take(lines, order);
      const released = await this.#release(lines, 1, order.ms);
      await this.#release(lines, AT_ONCE);
      return released;
    },
    renew: async (lines, order) => {
      if (this.#held.size === 0) await this.#take(lines, { ...order, each: 1 });
      const renewed = await this.#ask(lines, order, () => frame('lease.renew', { nonce: newNonce() }));
      this.#look(lines, renewed, ({ result }) => {
        const rows = result?.leases as readonly { token?: string }[];
        return rows.map(({ token }) => token ?? '');
      });
      return renewed;
    },
    deny: async (lines, order) => {
      const denied = await this.#ask(lines, order, () => checkoutOf(order.product));
      for (const answer of denied.answers.flat()) {
        const { error } = read(answer);
        if (error?.data.code !== 'NO_SEAT') throw new Error(`Not denied: ${answer}`);
      }
      return denied;
    },
    echo: (lines, order) =>
      this.#ask(lines, order, () => frame('echo', { ...bareParams(), bytes: order.bytes })),
    sign: (lines, order) => this.#ask(lines, order, () => frame('sign', bareParams())),
    root: (lines, order) => this.#ask(lines, order, () => frame('root', bareParams())),
    append: (lines, order) => this.#ask(lines, order, () => frame('append', bareParams())),
  };

  #ask(lines: readonly Line[], { each, ms }: Run, request: () => string): Promise<Burst> {
    const requests = lines.map(() => Array.from({ length: each }, request));
    return burst(lines, requests, this.#facts.serverPid, ms);
  }

  async #take(lines: readonly Line[], order: Run): Promise<Burst> {
    const taken = await this.#ask(lines, order, () => checkoutOf(order.product));
    this.#look(lines, taken, ({ result }) => result?.leases as string[], true);
    return taken;
  }

  /** @param atOnce leases in one frame */
  async #release(lines: readonly Line[], atOnce: number, longestMs?: number): Promise<Burst> {
    const requests = lines.map((line) => releasesOf(this.#held.get(line) ?? [], atOnce));
    const released = await burst(lines, requests, this.#facts.serverPid, longestMs);
    lines.forEach((line, at) => {
      const asked = (this.#held.get(line) ?? []).splice(0, released.answers[at]!.length * atOnce);
      const gone = released.answers[at]!.flatMap((answer) => read(answer).result?.released as string[]);
      if (gone.length !== asked.length) throw new Error(`${gone.length} of ${asked.length} were released`);
      if (this.#held.get(line)?.length === 0) this.#held.delete(line);
    });
    return released;
  }

  /** Looks into every answer: a lease of its own device each, new ones where something was taken. */
  #look(
    lines: readonly Line[],
    { answers }: Burst,
    tokensOf: (answer: Frame) => readonly string[],
    isTaken = false,
  ): void {
    lines.forEach((line, at) => {
      for (const answer of answers[at]!) {
        const read_ = read(answer);
        if (read_.error !== undefined) throw new Error(`Refused: ${answer}`);
        for (const token of tokensOf(read_)) this.#keep(line, token, isTaken);
        const [entitlement] = (read_.result?.entitlements ?? []) as string[];
        if (isTaken) this.#verifier.entitlement(entitlement ?? '');
      }
    });
  }

  #keep(line: Line, token: string, isTaken: boolean): void {
    const { jti, dev } = claimsOf(token);
    if (dev !== line.device) throw new Error(`${jti} is a lease of ${dev}, not of ${line.device}`);
    if (isTaken) {
      this.granted.push(jti);
      const held = this.#held.get(line);
      if (held === undefined) this.#held.set(line, [jti]);
      else held.push(jti);
    } else if (!this.#held.get(line)?.includes(jti)) throw new Error(`${jti} was renewed and never taken`);
    this.#verifier.lease(token);
  }
}

function checkoutOf(product: string): string {
  const wants = [{ products: [product], seats: 1 }];
  return frame('lease.checkout', { key: newNonce(), nonce: newNonce(), wants });
}

function releasesOf(leases: readonly string[], atOnce: number): string[] {
  const frames: string[] = [];
  for (let at = 0; at < leases.length; at += atOnce)
    frames.push(frame('lease.release', { key: newNonce(), leases: leases.slice(at, at + atOnce) }));
  return frames;
}

/** As long as those of a checkout. */
export function bareParams(): object {
  return { key: newNonce(), nonce: newNonce(), wants: [{ products: ['render'], seats: 1 }] };
}

function read(answer: Buffer): Frame {
  return JSON.parse(answer.toString()) as Frame;
}

function claimsOf(token: string): { readonly jti: string; readonly dev: string } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

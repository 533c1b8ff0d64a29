import { readToken } from '../auditor/token.js';
import { HttpDevice, type HttpSaid } from './http-device.js';
import type { HostParts } from './sim-host.js';
import type { Dice } from './sim-random.js';

/** How often a script looks whether everybody is to come to an end, ms. */
const NAP_MS = 60_000;
const HELD_AT_ONCE = 2;

export interface ScriptLife {
  readonly parts: HostParts;
  readonly product: string;
  readonly dice: Dice;
  readonly thinksMs: number;
  isEnding(): boolean;
}

/** A lease that the script has, and until when by its own clock (PROTOCOL 6). */
interface Held {
  readonly untilMs: number;
  readonly durMs: number;
}

/**
 * A render farm's shell script: it takes seats, renews them for a while and gives them back, by signed requests alone. Now and then it is killed
 * and started anew, and knows nothing of what it had.
 */
export async function runScript(life: ScriptLife): Promise<void> {
  const device = await HttpDevice.of(life.parts);
  while (!life.isEnding()) {
    await think(life);
    if ((await new Shift(life, device).work()) === 'UNKNOWN') return;
  }
}

async function think({ dice, thinksMs, parts: { time, owner }, isEnding }: ScriptLife): Promise<void> {
  for (let leftMs = dice.about(thinksMs); leftMs > 0 && !isEnding(); leftMs -= NAP_MS)
    await time.sleep(Math.min(leftMs, NAP_MS), owner);
}

/** One run of the script. */
class Shift {
  readonly #life: ScriptLife;
  readonly #device: HttpDevice;
  readonly #held = new Map<string, Held>();
  /** Whose stop the server wants: they were revoked. */
  readonly #stopped = new Set<string>();

  constructor(life: ScriptLife, device: HttpDevice) {
    this.#life = life;
    this.#device = device;
  }

  /** @returns `UNKNOWN` when the device was removed */
  async work(): Promise<'UNKNOWN' | 'DONE'> {
    const { dice, isEnding } = this.#life;
    for (let takes = dice.between(1, HELD_AT_ONCE); takes > 0; takes--)
      if ((await this.#take()) === 'UNKNOWN') return 'UNKNOWN';
    for (let renews = dice.between(0, 6); renews > 0 && this.#held.size > 0 && !isEnding(); renews--) {
      await this.#untilDue();
      if (dice.chance(0.05)) return 'DONE';
      await this.#renew();
    }
    await this.#release();
    return 'DONE';
  }

  async #take(): Promise<'UNKNOWN' | 'DONE'> {
    const { dice, product, parts } = this.#life;
    const seats = dice.chance(0.2) ? 2 : 1;
    const wants = [
      { products: product !== 'comp' && dice.chance(0.2) ? [product, 'comp'] : [product], seats },
    ];
    const sinceMs = elapsing(parts);
    const asked = { key: this.#device.newKey(), nonce: this.#device.newNonce(), wants };
    const said = await this.#device.ask('/v1/checkout', asked);
    this.#keep(said, sinceMs);
    return said?.body.code === 'DEVICE_UNKNOWN' ? 'UNKNOWN' : 'DONE';
  }

  async #renew(): Promise<void> {
    this.#forgetEnded();
    const leases = [...this.#held.keys()];
    if (leases.length === 0) return;
    const sinceMs = elapsing(this.#life.parts);
    const said = await this.#device.ask('/v1/renew', { leases, nonce: this.#device.newNonce() });
    this.#keep(said, sinceMs);
  }

  async #release(): Promise<void> {
    const leases = [...this.#held.keys(), ...this.#stopped];
    if (leases.length === 0) return;
    const stops = leases.filter((id) => this.#stopped.has(id)).map((id) => this.#device.stop(id));
    const key = this.#device.newKey();
    const said = await this.#device.ask('/v1/release', {
      key,
      leases,
      ...(stops.length > 0 ? { stops } : {}),
    });
    if (said?.body.code !== 'STOP_REQUIRED') return;
    // One was revoked meanwhile.
    const all = leases.map((id) => this.#device.stop(id));
    await this.#device.ask('/v1/release', { key: this.#device.newKey(), leases, stops: all });
  }

  #keep(said: HttpSaid | null, sinceMs: number): void {
    for (const row of (said?.body.leases ?? []) as (string | Row)[]) {
      const { token: text, lease, code } = typeof row === 'string' ? { token: row } : row;
      const token = text === undefined ? 'MISSING' : readToken('lease', text);
      if (typeof token !== 'string') {
        const durMs = token.claims.dur * 1000;
        this.#held.set(token.claims.jti, { untilMs: sinceMs + durMs, durMs });
      } else if (lease !== undefined) {
        this.#held.delete(lease);
        if (code === 'LEASE_REVOKED') this.#stopped.add(lease);
      }
    }
  }

  /** A third of D, or a bit more. */
  async #untilDue(): Promise<void> {
    const { time, owner } = this.#life.parts;
    const shortestMs = Math.min(...[...this.#held.values()].map(({ durMs }) => durMs));
    await time.sleep(shortestMs * (0.3 + this.#life.dice.below(100) / 1000), owner);
  }

  #forgetEnded(): void {
    const nowMs = elapsing(this.#life.parts);
    for (const [id, { untilMs }] of this.#held) if (untilMs <= nowMs) this.#held.delete(id);
  }
}

interface Row {
  readonly lease: string;
  readonly token?: string;
  readonly code?: string;
}

/** What goes on while a computer sleeps, too. */
function elapsing({ clock }: HostParts): number {
  return clock.uptimeMs();
}

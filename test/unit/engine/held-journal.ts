import { Engine } from '@berth/server/engine/engine';
import type { JournalWriter } from '@berth/server/engine/journal-writer';
import { type Position, START } from '@berth/server/store/position';
import { expect } from 'vitest';
import type { World } from '../domain/world.js';

/** A journal whose syncs end when the test says so. */
export class HeldJournal implements JournalWriter {
  position: Position = START;
  readonly payloads: string[] = [];
  #finish: ((error?: Error) => void) | null = null;

  append(payload: Uint8Array): Promise<Position> {
    expect(this.#finish, 'one append at a time').toBeNull();
    this.payloads.push(Buffer.from(payload).toString());
    return new Promise((resolve, reject) => {
      this.#finish = (error) => {
        this.#finish = null;
        if (error !== undefined) return reject(error);
        this.position = { seq: this.position.seq + 1, hash: 'ab'.repeat(32) };
        resolve(this.position);
      };
    });
  }

  async finish(error?: Error): Promise<void> {
    await turns();
    this.#finish?.(error);
    await turns();
  }
}

export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export function engineOver(world: World, journal: JournalWriter): { engine: Engine; fatal: unknown[] } {
  const fatal: unknown[] = [];
  const { newId } = world.context;
  const engine = new Engine({
    state: world.state,
    journal,
    clock: { now: () => world.now },
    newId,
    leaseSeconds: world.leaseSeconds,
    diskLow: () => false,
    onCommitted: () => {},
    onFatal: (error) => fatal.push(error),
  });
  return { engine, fatal };
}

export function answered(promise: Promise<unknown>): { yet: boolean } {
  const seen = { yet: false };
  promise.then(() => {
    seen.yet = true;
  });
  return seen;
}

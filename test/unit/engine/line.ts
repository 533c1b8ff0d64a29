import { Engine } from '@berth/server/engine/engine';
import type { Place } from '@berth/server/engine/place-teller';
import { START } from '@berth/server/store/position';
import { World } from '../domain/world.js';

/** An engine whose commits are durable at once, counting them. */
export function site(): { world: World; engine: Engine; commits: string[][]; disk: { low: boolean } } {
  const disk = { low: false };
  const world = new World();
  world.import({ seats: 1 });
  const commits: string[][] = [];
  let seq = 0;
  const { newId } = world.context;
  const engine = new Engine({
    state: world.state,
    journal: {
      position: START,
      append: async (payload) => {
        const { changes } = JSON.parse(Buffer.from(payload).toString()) as { changes: { type: string }[] };
        commits.push(changes.map(({ type }) => type));
        seq += 1;
        return { seq, hash: 'ab'.repeat(32) };
      },
    },
    clock: { now: () => world.now },
    newId,
    leaseSeconds: world.leaseSeconds,
    diskLow: () => disk.low,
    onCommitted: () => {},
    onFatal: (error) => {
      throw error;
    },
  });
  return { world, engine, commits, disk };
}

type Asked = Parameters<Engine['submitWaiting']>[0];

export interface Waiting {
  readonly command: Asked;
  readonly places: Place[];
  readonly abort: AbortController;
  readonly result: Promise<{ lease: string } | { code: string }>;
}

export function wait(engine: Engine, world: World, device: string, waitMs = 60_000, seats = 1): Waiting {
  return ask(engine, world.checkingOut(device, seats), waitMs);
}

/** The same command again is a retry with the same key. */
export function ask(engine: Engine, command: Asked, waitMs = 60_000): Waiting {
  const abort = new AbortController();
  const places: Place[] = [];
  const onPlace = (place: Place): void => void places.push(place);
  const settled = engine.submitWaiting(command, {
    waitMs,
    signal: abort.signal,
    onPlace,
  });
  const result = settled.then((it) => (it.ok ? { lease: it.outcome.leases[0]!.jti } : { code: it.code }));
  return { command, places, abort, result };
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

export async function hold(engine: Engine, world: World, device: string): Promise<string> {
  const settled = await engine.submit(world.checkingOut(device));
  if (!settled.ok) throw new Error(settled.code);
  return settled.outcome.leases[0]!.jti;
}

import { brokenInvariants } from '@berth/server/domain/invariants';
import type { State } from '@berth/server/domain/state';
import { recover } from '@berth/server/engine/recover';
import { systemClock } from '@berth/server/ops/clock';
import { nodeFiles } from '@berth/server/store/files';
import { LevelStore } from '@berth/server/store/level-store';
import { MemoryStore } from '@berth/server/store/memory-store';
import type { StateStore } from '@berth/server/store/state-store';

/**
 * Opens a copy of a data folder as a server would and says what is wrong with it: it cannot be recovered, an invariant does not hold, or
 * the stored state is not the one that its journal leads to.
 */
export async function faultsOf(folder: string): Promise<string[]> {
  const now = systemClock.now();
  const store = await LevelStore.open(folder);
  try {
    const state = await recovered(folder, store);
    const replayed = await recovered(folder, await MemoryStore.open());
    const differing = differences(rowsOf(state), rowsOf(replayed));
    return [
      ...brokenInvariants(state, now),
      ...differing.map((key) => `the stored row ${key} is not the journal's`),
    ];
  } catch (error) {
    return [`it cannot be opened: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    await store.close();
  }
}

async function recovered(folder: string, store: StateStore): Promise<State> {
  const { monoMs } = systemClock.now();
  const nothing = (): void => {};
  const options = { files: nodeFiles, folder, store, monoMs, readOnly: true };
  const { state, journal } = await recover({ ...options, onCut: nothing, onRebuilt: nothing });
  await journal.close();
  return state;
}

/** Every row of a state, `<table>/<id>` -> JSON in one order. */
export function rowsOf(state: State): Map<string, string> {
  const rows = new Map<string, string>();
  for (const [name, table] of Object.entries(state.tables)) {
    for (const [id, row] of table.entries()) rows.set(`${name}/${String(id)}`, JSON.stringify(sorted(row)));
  }
  return rows;
}

/** The keys that are not the same in both. */
export function differences(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys].filter((key) => one.get(key) !== other.get(key));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

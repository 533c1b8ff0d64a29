import { setImmediate } from 'node:timers/promises';
import { type Position, START } from '@berth/server/store/position';
import type { StateStore } from '@berth/server/store/state-store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runSeed, seeded } from './random.js';

/** Where a store keeps its rows: opening it again is a restart. */
export interface StoreHome {
  open(): Promise<StateStore>;
  remove(): Promise<void>;
}

export function at(seq: number): Position {
  return { seq, hash: seq.toString(16).padStart(64, 'a') };
}

/** @param rows the JSON that is to be kept */
export function rowsOf(rows: Record<string, string | null>): Map<string, unknown> {
  return new Map(Object.entries(rows).map(([key, text]) => [key, text === null ? null : JSON.parse(text)]));
}

/** What every StateStore does (DESIGN 1: one shared suite runs against both stores). */
export function stateStoreSuite(name: string, newHome: () => Promise<StoreHome>): void {
  describe(name, () => {
    let home: StoreHome;
    let store: StateStore;

    beforeEach(async () => {
      home = await newHome();
      store = await home.open();
    });

    afterEach(async () => {
      await store.close();
      await home.remove();
    });

    async function restart(): Promise<void> {
      await store.close();
      store = await home.open();
    }

    async function expectLoaded(position: Position, rows: Record<string, string>): Promise<void> {
      const loaded = await store.load();
      expect(loaded).toEqual({ ok: true, ...position, rows: new Map(Object.entries(rows)) });
    }

    test('a new one is empty and stands for the start of the journal', async () => {
      await expectLoaded(START, {});
    });

    test('dumps what was flushed, as it was when it began', async () => {
      await store.load();
      const dumped = async (meanwhile = async (): Promise<void> => {}) => {
        const rows = new Map<string, string>();
        const position = await store.dump(async (some) => {
          await meanwhile();
          for (const [key, value] of some) rows.set(key, value);
        });
        return { position, rows };
      };
      expect(await dumped()).toEqual({ position: START, rows: new Map() });
      const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`row/${at}`, `${at}`]));
      store.put(at(7), rowsOf(many));
      expect((await dumped()).position).toEqual(START);
      await store.flush();
      const later = async (): Promise<void> => {
        store.put(at(8), rowsOf({ 'row/1000': '"later"', 'row/0': null }));
        await store.flush();
      };
      expect(await dumped(later)).toEqual({ position: at(7), rows: new Map(Object.entries(many)) });
      expect((await dumped()).position).toEqual(at(8));
      expect((await dumped()).rows.get('row/1000')).toBe('"later"');
    });

    test('gives back what was flushed, and only that', async () => {
      await store.load();
      store.put(at(1), rowsOf({ a: '1', b: '{"n":2}', 'ü/ключ': '"✓"' }));
      await store.flush();
      store.put(at(2), rowsOf({ a: '2' }));
      await restart();
      await expectLoaded(at(1), { a: '1', b: '{"n":2}', 'ü/ключ': '"✓"' });
    });

    test('merges the puts between two flushes', async () => {
      await store.load();
      store.put(at(1), rowsOf({ a: '1', b: '1', c: '1' }));
      await store.flush();
      store.put(at(2), rowsOf({ a: '2', b: null, d: '2', e: '2' }));
      store.put(at(3), rowsOf({ a: '3', b: '3', c: null, e: null, f: null }));
      await store.flush();
      await restart();
      await expectLoaded(at(3), { a: '3', b: '3', d: '2' });
    });

    test('keeps its position when no row changed', async () => {
      await store.load();
      store.put(at(1), rowsOf({ a: '1' }));
      await store.flush();
      store.put(at(7), new Map());
      await store.flush();
      await store.flush();
      await restart();
      await expectLoaded(at(7), { a: '1' });
    });

    test('does not keep what it was given or gave', async () => {
      await store.load();
      const rows = rowsOf({ a: '1' });
      store.put(at(1), rows);
      rows.set('a', 'changed');
      await store.flush();
      await restart();
      const loaded = await store.load();
      if (loaded.ok) loaded.rows.clear();
      store.put(at(2), rowsOf({ b: '2' }));
      await store.flush();
      await restart();
      await expectLoaded(at(2), { a: '1', b: '2' });
    });

    test('flushes may overlap with each other and with puts', async () => {
      await store.load();
      const flushes: Promise<void>[] = [];
      for (let seq = 1; seq <= 20; seq += 1) {
        store.put(at(seq), rowsOf({ [`k${seq % 7}`]: `${seq}`, [`gone${seq}`]: seq % 2 ? `${seq}` : null }));
        flushes.push(store.flush());
      }
      await Promise.all(flushes);
      await restart();
      const loaded = await store.load();
      expect(loaded).toMatchObject({ ok: true, ...at(20) });
      expect(loaded.ok && loaded.rows.size).toBe(17);
      expect(loaded.ok && loaded.rows.get('k6')).toBe('20');
    });

    test('takes many rows in one flush', async () => {
      await store.load();
      const rows = new Map(Array.from({ length: 5000 }, (_, index) => [`row/${index}`, `${index * 3}`]));
      store.put(at(1), rowsOf(Object.fromEntries(rows)));
      await store.flush();
      await restart();
      expect(await store.load()).toEqual({ ok: true, ...at(1), rows });
    });

    test('a flush holds one position, though puts go on while it runs', async () => {
      await store.load();
      const rows = new Map(Array.from({ length: 5000 }, (_, index) => [`row/${index}`, `${index}`]));
      store.put(at(1), rowsOf(Object.fromEntries(rows)));
      const flushed = store.flush();
      await setImmediate();
      store.put(at(2), rowsOf({ 'row/4999': '"later"', extra: '"later"' }));
      await flushed;
      await restart();
      expect(await store.load()).toEqual({ ok: true, ...at(1), rows });
    });

    test('is empty after a reset, also when it was not loaded', async () => {
      await store.load();
      store.put(at(5), rowsOf({ a: '1', b: '2' }));
      await store.flush();
      await restart();
      await store.reset();
      store.put(at(2), rowsOf({ b: '3' }));
      await store.flush();
      await restart();
      await expectLoaded(at(2), { b: '3' });
      store.put(at(3), rowsOf({ c: '4' }));
      await store.reset();
      await store.flush();
      await restart();
      await expectLoaded(START, {});
    });

    test('is not written before it was loaded or reset', async () => {
      expect(() => store.put(at(1), new Map())).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }));
      await expect(store.flush()).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    });

    test('refuses a key that it could confuse, and an older position', async () => {
      await store.load();
      store.put(at(2), new Map());
      const refused = expect.objectContaining({ code: 'ERR_ASSERTION' });
      expect(() => store.put(at(3), rowsOf({ '\0meta': '1' }))).toThrow(refused);
      expect(() => store.put(at(3), rowsOf({ 'a\0b': '1' }))).toThrow(refused);
      expect(() => store.put(at(3), rowsOf({ '': '1' }))).toThrow(refused);
      expect(() => store.put(at(1), new Map())).toThrow(refused);
    });

    test('holds what a Map would, whatever happens', async () => {
      const seed = runSeed();
      console.info(`BERTH_SEED=${seed}`);
      const random = seeded(seed);
      await store.load();
      let [flushed, current] = [new Map<string, string>(), new Map<string, string>()];
      let [seq, flushedSeq] = [0, 0];
      for (let step = 0; step < 300; step += 1) {
        const action = random(20);
        if (action === 0) {
          await restart();
          const position = flushedSeq === 0 ? START : at(flushedSeq);
          expect(await store.load(), `seed ${seed}`).toEqual({ ok: true, ...position, rows: flushed });
          [current, seq] = [new Map(flushed), flushedSeq];
        } else if (action < 5) {
          await store.flush();
          [flushed, flushedSeq] = [new Map(current), seq];
        } else {
          const rows = new Map<string, string | null>();
          for (let count = random(4); count >= 0; count -= 1) {
            rows.set(`k${random(12)}`, random(3) ? `${random(1000)}` : null);
          }
          seq += 1;
          store.put(at(seq), rowsOf(Object.fromEntries(rows)));
          for (const [key, value] of rows) value === null ? current.delete(key) : current.set(key, value);
        }
      }
    });
  });
}

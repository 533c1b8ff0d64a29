import { expect, test } from 'vitest';
import { type BenchOptions, type Suite, sayWhenSettled } from '../../bench/bench.js';
import { type Row, rowOf } from '../../bench/report.js';

const run = { operations: 10, ms: 1000, serverCpuNs: 1e6, p50Ms: 1, p99Ms: 2, verified: 0, rssMiB: 80 };
const row = (name: string): Row => rowOf({ suite: 'odd', case: name, connections: 1 }, [run]);

function suite(ends: () => void): Suite {
  return {
    ...{ name: 'odd', what: 'a suite', connections: [1] },
    run: async ({ emit }) => {
      emit(row('one'));
      emit(row('two'));
      ends();
    },
  };
}

async function told(ends: (said: readonly Row[]) => void): Promise<{ said: Row[]; why: string | null }> {
  const said: Row[] = [];
  const options: BenchOptions = {
    ...{ runs: 1, ms: 50, connections: null, part: 0.01, profile: null },
    ...{ emit: (each) => void said.push(each), say: () => undefined },
  };
  const marked = (each: Row): Row => ({ ...each, facts: { nth: 1 } });
  const why = await sayWhenSettled(
    suite(() => ends(said)),
    options,
    marked,
  ).then(
    () => null,
    (error: Error) => error.message,
  );
  return { said, why };
}

test('the rows of a suite are told when its accounts are settled, in order, marked as they were when measured', async () => {
  let before = -1;
  const { said, why } = await told((rows) => {
    before = rows.length;
  });
  expect(before, 'none before the accounts').toBe(0);
  expect(said.map((each) => [each.case, each.facts])).toEqual([
    ['one', { nth: 1 }],
    ['two', { nth: 1 }],
  ]);
  expect(why).toBeNull();
});

test('of a suite whose accounts do not agree no row is told, and it is said how many there were', async () => {
  const { said, why } = await told(() => {
    throw new Error('Seats handed out, journal and status do not agree');
  });
  expect(said).toEqual([]);
  expect(why).toMatch(/do not agree[\s\S]*2 rows/);
});

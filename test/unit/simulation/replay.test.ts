import { expect, test } from 'vitest';
import type { Job } from '../../simulation/crew.js';
import { commandOf, type Shown, shortest } from '../../simulation/replay.js';

/** A run that shows a violation exactly when it is long enough and has enough clients. */
function runs(needs: { hours: number; clients: number }): {
  simulate: (job: Job) => Promise<Shown>;
  count: () => number;
} {
  let count = 0;
  const simulate = async ({ hours = 2, clients = 20 }: Job): Promise<Shown> => {
    count++;
    const shows = hours >= needs.hours && clients >= needs.clients;
    const violations = shows ? ['I6: a client has lease x, the journal never granted it'] : ['I7: another'];
    return {
      safetyHours: hours,
      violatedAfterHours: shows ? needs.hours : null,
      violations,
    };
  };
  return { simulate, count: () => count };
}

async function shortestOf(needs: {
  hours: number;
  clients: number;
}): Promise<{ command: string; count: number }> {
  const { simulate, count } = runs(needs);
  const job = { seed: 7, hours: undefined, clients: undefined, stacks: false };
  const best = await shortest({ job, report: await simulate(job) }, simulate);
  return { command: commandOf(best.job), count: count() };
}

test('a violation is cut just after it happened, with as few clients as show it', async () => {
  expect((await shortestOf({ hours: 0.7, clients: 6 })).command).toBe(
    'npm run simulate -- --seed 7 --hours 0.72 --clients 8',
  );
});

test('where nothing shorter shows it, the replay is the run itself', async () => {
  const { command, count } = await shortestOf({ hours: 2, clients: 20 });
  expect(command).toBe('npm run simulate -- --seed 7');
  expect(count).toBeLessThan(10);
});

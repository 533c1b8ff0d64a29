import { expect, test } from 'vitest';
import type { Job } from '../../simulation/crew.js';
import { accusation, commandOf, type Shown, shortest } from '../../simulation/replay.js';

/** A run that shows a violation exactly when it is long enough and has enough clients. */
function runs(
  needs: { hours: number; clients: number },
  usual = 20,
): {
  simulate: (job: Job) => Promise<Shown>;
  sizes: number[];
} {
  const sizes: number[] = [];
  const simulate = async ({ hours = 2, clients = usual }: Job): Promise<Shown> => {
    sizes.push(clients);
    const shows = hours >= needs.hours && clients >= needs.clients;
    const violations = shows ? ['I6: a client has lease x, the journal never granted it'] : ['I7: another'];
    return {
      safetyHours: hours,
      clients,
      violatedAfterHours: shows ? needs.hours : null,
      violations,
    };
  };
  return { simulate, sizes };
}

async function shortestOf(
  needs: { hours: number; clients: number },
  usual?: number,
): Promise<{ command: string; sizes: number[] }> {
  const { simulate, sizes } = runs(needs, usual);
  const job = { seed: 7, hours: undefined, clients: undefined, stacks: false };
  const best = await shortest({ job, report: await simulate(job) }, simulate);
  return { command: commandOf(best.job), sizes };
}

test('a violation is cut just after it happened, with as few clients as show it', async () => {
  expect((await shortestOf({ hours: 0.7, clients: 6 })).command).toBe(
    'npm run simulate -- --seed 7 --hours 0.72 --clients 8',
  );
});

test('where nothing shorter shows it, the replay is the run itself', async () => {
  const { command, sizes } = await shortestOf({ hours: 2, clients: 20 });
  expect(command).toBe('npm run simulate -- --seed 7');
  expect(sizes.length).toBeLessThan(10);
});

test('no attempt has more clients than the site that showed it', async () => {
  const { command, sizes } = await shortestOf({ hours: 2, clients: 3 }, 3);
  expect(command).toBe('npm run simulate -- --seed 7');
  expect(Math.max(...sizes)).toBe(3);
});

test('what is printed is all of one run: its command, its violations, and what happened before', async () => {
  const { simulate } = runs({ hours: 0.7, clients: 2 });
  const whole = { seed: 7, hours: undefined, clients: undefined, stacks: false };
  const long = async (job: Job) => {
    const report = await simulate(job);
    const isCut = job.hours !== undefined;
    const violations = isCut ? report.violations : [...report.violations, 'I1: later, in the long run alone'];
    return { ...report, violations, before: [isCut ? 'of the short one' : 'of the long one'] };
  };
  const best = await shortest({ job: whole, report: await long(whole) }, long);
  expect(accusation(best)).toBe(`  replay: npm run simulate -- --seed 7 --hours 0.72 --clients 2
  its violations, 1:
    I6: a client has lease x, the journal never granted it
  before the first of them:
    of the short one
`);
});

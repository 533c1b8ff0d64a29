import { parseArgs } from 'node:util';
import { type Bounds, numberOf, SEEDS, words } from '../asked.js';
import { LARGE_EVERY } from './plan.js';

export interface Wanted {
  readonly seed: number;
  readonly seeds: number;
  readonly hours: number | undefined;
  readonly clients: number | undefined;
  readonly jobs: number;
  readonly json: boolean;
  readonly stacks: boolean;
  readonly restores: boolean;
}

export const help = `npm run simulate -- [--seed S] [--seeds N] [--hours H] [--clients C] [--jobs J] [--json]

A whole site in one thread, determined by its seed: the real server from the dispatcher to the journal, the real SDK, and clocks, disks and a
network that fail. The auditor judges what the clients saw. A seed has two phases: safety, in which everything goes wrong, and
liveness, in which faults stop, an admin confirms the clock, every seat must come free and everybody in line must be answered.

  --seed S      the first seed (1)
  --seeds N     how many, from S on (1)
  --hours H     simulated hours of the safety phase (2; the liveness phase comes after it and lasts until every seat is free)
  --clients C   computers of people (by the seed: 2 to 6, and 12 to 20 on every fifth seed or so; 200 on a large one). Seats follow the clients
  --jobs J      processes (1): a seed is the same in any
  --json        one JSON report a seed on stdout: every fault, request and refusal by name, and the hash of the history
  --stacks      errors with their stacks, in a violation that is replayed
  --restores    in every seed the server is once lost and made anew of the last backup that somebody made (I9): else in those that end in 4
  --help        this

Every ${LARGE_EVERY}th seed is large: 24 hours, 200 clients, real Ed25519. Its leases last 30 minutes and everybody thinks longer, so that it takes a minute or two.
Seeds that end in 9 also have clocks set as no invariant promises to bear (a client's back during a borrow, the server's while it is stopped);
these and what they lead to are counted apart, as beyondPromise.

The last line of stdout is a JSON object: seeds, simulatedHours (both phases), ops, faults, violations, speed and more. Exit code: 0 without
violations, 1 with, 2 when the arguments are wrong. A violation prints how to replay it, as short as it was found, and the events before it.

  npm run simulate                                  seed 1
  npm run simulate -- --seed 7 --json               all about seed 7
  npm run simulate -- --seed 1000 --seeds 200 --jobs 2
  npm run simulate -- --seed 50                     a large one
`;

/** @returns what is wanted, or what is wrong with it */
export function readCommandLine(argv: readonly string[]): Wanted | 'HELP' | { readonly wrong: string } {
  try {
    const { values } = parseArgs({
      args: words(argv),
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        hours: { type: 'string' },
        clients: { type: 'string' },
        jobs: { type: 'string' },
        json: { type: 'boolean' },
        stacks: { type: 'boolean' },
        restores: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return 'HELP';
    return {
      seed: number('seed', values.seed, SEEDS) ?? 1,
      seeds: number('seeds', values.seeds, { least: 1, most: 1_000_000 }) ?? 1,
      hours: number('hours', values.hours, { least: 0.01, most: 240, fraction: true }),
      clients: number('clients', values.clients, { least: 1, most: 1_000 }),
      jobs: number('jobs', values.jobs, { least: 1, most: 64 }) ?? 1,
      json: values.json ?? false,
      stacks: values.stacks ?? false,
      restores: values.restores ?? false,
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

function number(name: string, text: string | undefined, bounds: Bounds): number | undefined {
  return text === undefined ? undefined : numberOf(name, text, bounds);
}

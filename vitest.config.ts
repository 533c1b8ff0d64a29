import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What is compiled is loaded as Node loads it: transforming it once more was a fifth of the CPU of the unit tests. */
const server = { deps: { external: [/\/(protocol|client-sdk|server|admin-cli)\/dist\//] } };

/** System tests that take longest, by the clock. */
const longest = [
  'kill-rounds',
  'torture',
  'browser',
  'waiting',
  'admin',
  'borrow-extended',
  'machines',
  'entitlements-over-time',
  'backup',
  'suspend-network',
  'bad-input',
  'mail',
  'http',
  'bad-host',
  'cli',
  'audit',
];

/** One of these that began last would run alone, with cores that have nothing to do. The others come as ever: by size, or by time where that is known. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/system/${name}.test.ts`));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

// Projects: `unit` is pure and fast; `system` starts real processes and runs one file at a time per worker.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          server,
          sequence: { groupOrder: 0 },
          include: ['test/{unit,tidy,conformance,store}/**/*.test.ts'],
          // What computes takes its time on a busy machine: late is not failed.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Vitest's own default leaves one core free.
          maxWorkers: availableParallelism(),
          // No test changes a module or a global for good, and loading everything anew for each file takes a third of the time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'system',
          server,
          // After the unit tests, on its own: real processes are timed.
          sequence: { groupOrder: 1 },
          include: ['test/system/**/*.test.ts'],
          globalSetup: 'test/system/site-template.setup.ts',
          testTimeout: 180_000,
          hookTimeout: 60_000,
          // Much of their time they wait for windows to end: several files more than cores keep the cores busy.
          maxWorkers: availableParallelism() + 3,
          // Each file has a site and processes of its own; vitest, the SDK and the auditor are loaded once a worker.
          isolate: false,
        },
      },
    ],
  },
});

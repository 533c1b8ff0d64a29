import { rssMiB } from '../../hostile/measure.js';
import type { Suite } from '../bench.js';
import { BenchSite } from '../bench-site.js';
import type { Population } from '../population.js';
import { cpuNs } from '../processor.js';
import { rowOf } from '../report.js';

const cases: readonly { readonly title: string; readonly population: Population }[] = [
  { title: 'an empty server', population: { pools: [{ product: 'render', seats: 100 }], devices: 1 } },
  {
    title: '100 k leases, 1 M records',
    population: {
      pools: [{ product: 'render', seats: 110_000, taken: 100_000 }],
      ...{ devices: 1, records: 1_000_000 },
    },
  },
];

export const boot: Suite = {
  name: 'boot',
  what: 'from the start of the process until it serves, with 100,000 leases and a million records',
  run: async ({ runs, emit, say }) => {
    for (const { title, population } of cases) {
      say(`${title}: filling a data folder`);
      const site = await BenchSite.open(population, null);
      try {
        const measured = [];
        for (let run = 0; run < runs; run++) {
          await site.site.stop();
          const sinceMs = performance.now();
          await site.serve();
          const ms = performance.now() - sinceMs;
          const serverCpuNs = cpuNs(site.pid);
          const one = { operations: 1, ms, p50Ms: ms, p99Ms: ms, verified: 0 };
          measured.push({ ...one, serverCpuNs, rssMiB: rssMiB(site.pid) });
        }
        emit(rowOf({ suite: 'boot', case: title, connections: 0 }, measured));
      } finally {
        await site.close();
      }
    }
  },
};

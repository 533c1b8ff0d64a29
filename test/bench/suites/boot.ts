import { rssMiB } from '../../hostile/measure.js';
import { type Suite, settle } from '../bench.js';
import { BenchSite } from '../bench-site.js';
import type { Population } from '../population.js';
import { cpuNs } from '../processor.js';
import { rowOf } from '../report.js';

const cases: readonly { readonly title: string; readonly population: Population }[] = [
  { title: 'an empty server', population: { pools: [{ product: 'render', seats: 100 }], devices: 1 } },
];

function large(part: number): (typeof cases)[number] {
  const [leases, records] = [100_000 * part, 1_000_000 * part];
  const pools = [{ product: 'render', seats: Math.round(1.1 * leases), taken: leases }];
  return { title: `${leases} leases, ${records} records`, population: { pools, devices: 1, records } };
}

export const boot: Suite = {
  name: 'boot',
  what: 'from the start of the process until it serves, with 100,000 leases and a million records',
  connections: [],
  without: { seconds: 'a run is one start' },
  run: async ({ runs, part, profile, emit, say }) => {
    for (const { title, population } of [...cases, large(part)]) {
      say(`${title}: filling a data folder`);
      const site = await BenchSite.open(population, profile);
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
        await settle(site, []);
      } finally {
        await site.close();
      }
    }
  },
};

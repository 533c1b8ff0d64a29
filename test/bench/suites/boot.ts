import { join } from 'node:path';
import { rssMiB } from '../../hostile/measure.js';
import type { BareStartFacts } from '../bare-start.js';
import { type Suite, settle } from '../bench.js';
import { BenchSite } from '../bench-site.js';
import { here } from '../load-client.js';
import type { Measured } from '../orders.js';
import type { Population } from '../population.js';
import { cpuNs } from '../processor.js';
import { rowOf } from '../report.js';

const PATIENCE_MS = 120_000;

const cases: readonly { readonly title: string; readonly population: Population }[] = [
  { title: 'an empty server', population: { pools: [{ product: 'render', seats: 100 }], devices: 1 } },
];

function large(part: number): (typeof cases)[number] {
  const [leases, records] = [100_000 * part, 1_000_000 * part];
  const pools = [{ product: 'render', seats: Math.round(1.1 * leases), taken: leases }];
  return { title: `${leases} leases, ${records} records`, population: { pools, devices: 1, records } };
}

/** @param site whose server is stopped */
async function bareStart({ site, populated }: BenchSite): Promise<Measured> {
  const facts: BareStartFacts = { data: site.data, seq: populated.seq };
  const sinceMs = performance.now();
  const started = site.start({
    argv: [process.execPath, join(here, 'bare-start.js'), JSON.stringify(facts)],
  });
  await started.hear({ event: 'ready' }, PATIENCE_MS);
  const ms = performance.now() - sinceMs;
  const one = { operations: 1, ms, p50Ms: ms, p99Ms: ms, verified: 0 };
  const measured = { ...one, serverCpuNs: cpuNs(started.pid), rssMiB: rssMiB(started.pid) };
  await started.kill();
  return measured;
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
        const [measured, bare]: [Measured[], Measured[]] = [[], []];
        for (let run = 0; run < runs; run++) {
          await site.site.stop();
          bare.push(await bareStart(site));
          const sinceMs = performance.now();
          await site.serve();
          const ms = performance.now() - sinceMs;
          const serverCpuNs = cpuNs(site.pid);
          const one = { operations: 1, ms, p50Ms: ms, p99Ms: ms, verified: 0 };
          measured.push({ ...one, serverCpuNs, rssMiB: rssMiB(site.pid) });
        }
        const bareTitle = { suite: 'limit', case: `rows read and parsed: ${title}`, connections: 0 };
        emit(
          rowOf({ suite: 'boot', case: title, connections: 0 }, measured, { title: bareTitle, runs: bare }),
        );
        emit(rowOf(bareTitle, bare));
        await settle(site, []);
      } finally {
        await site.close();
      }
    }
  },
};

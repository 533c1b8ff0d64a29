import { parseArgs } from 'node:util';
import { simulate } from './run.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    hours: { type: 'string' },
    clients: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  const started = performance.now();
  const report = await simulate({
    seed,
    hours: Number(values.hours ?? 2),
    clients: Number(values.clients ?? 20),
  });
  const seconds = (performance.now() - started) / 1000;
  console.log(
    JSON.stringify(
      {
        ...report,
        violations: report.violations.slice(0, 8),
        count: report.violations.length,
        seconds,
        speed: Math.round((report.simulatedHours * 3600) / seconds),
      },
      null,
      1,
    ),
  );
}
process.exit(0);

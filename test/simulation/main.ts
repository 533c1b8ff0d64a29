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

const [first, seeds] = [Number(values.seed), Number(values.seeds)];
const totals = { seeds: 0, simulatedHours: 0, ops: 0, faults: 0, violations: 0 };
const started = performance.now();
for (let seed = first; seed < first + seeds; seed++) {
  const options = { seed, hours: Number(values.hours ?? 2), clients: Number(values.clients ?? 20) };
  const report = await simulate(options);
  totals.seeds++;
  totals.simulatedHours += report.simulatedHours;
  totals.ops += report.ops;
  totals.faults += Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  totals.violations += report.violations.length;
  if (report.violations.length > 0) tell(seed, options, report.violations);
  else if (!values.json) console.log(JSON.stringify(report));
}
const seconds = (performance.now() - started) / 1000;
if (!values.json) console.log(`${Math.round((totals.simulatedHours * 3600) / seconds)} times real time`);
console.log(JSON.stringify(totals));
// A simulation that was cut short leaves promises, not handles.
process.exit(totals.violations > 0 ? 1 : 0);

function tell(
  seed: number,
  { hours, clients }: { hours: number; clients: number },
  violations: readonly string[],
): void {
  console.error(
    `seed ${seed}: npm run simulate -- --seed ${seed} --hours ${hours} --clients ${clients}\n` +
      violations
        .slice(0, 10)
        .map((text) => `  ${text}`)
        .join('\n'),
  );
}

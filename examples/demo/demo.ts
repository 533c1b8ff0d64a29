// `npm run demo`: the main job of Berth from end to end, with real processes in a temporary folder. One line a step: what happens and what
// was seen. Exits 0 only if every step held.
import { play } from './play.js';
import { Stage } from './stage.js';

const startMs = performance.now();
const stage = await Stage.set();
let steps = 0;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    process.stderr.write(`\n${signal}: cleaning up\n`);
    void stage.strike().finally(() => process.exit(code));
  });
}

try {
  await play(stage, (what, seen) => {
    steps += 1;
    const clock = `${((performance.now() - startMs) / 1000).toFixed(1)} s`.padStart(7);
    process.stdout.write(`${clock}  ${String(steps).padStart(2)}. ${what}: ${seen}\n`);
  });
  process.stdout.write(`All ${steps} steps held.\n`);
} catch (error) {
  // What is killed while cleaning up is not a step that did not hold.
  if (!stage.isStruck) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Step ${steps + 1} did not hold: ${why}\n`);
    process.exitCode = 1;
  }
} finally {
  await stage.strike();
}

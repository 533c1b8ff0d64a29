import type { Target } from './target.js';

/** Nothing may take longer than this on one input. */
export const SLOW_MS = 10;
const MEASURED_AGAIN = 5;

export interface Finding {
  readonly kind: 'crash' | 'slow';
  readonly message: string;
}

/**
 * What is wrong with the target on this input; null: nothing. The machine is shared and collects garbage: only what is slow each of six
 * times, by the clock and by the time of the processor, is called slow.
 */
export async function judge(target: Target, input: Uint8Array, slowMs = SLOW_MS): Promise<Finding | null> {
  try {
    let least = await elapsed(target, input);
    for (let n = 0; n < MEASURED_AGAIN && least > slowMs; n++)
      least = Math.min(least, await elapsed(target, input));
    return least > slowMs ? { kind: 'slow', message: `${least.toFixed(1)} ms at best` } : null;
  } catch (error) {
    return {
      kind: 'crash',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

async function elapsed(target: Target, input: Uint8Array): Promise<number> {
  const cpu = process.cpuUsage();
  const from = performance.now();
  // A copy: a target that writes to its input is found out by the second run.
  await target.run(Uint8Array.from(input));
  const ms = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  return Math.min(ms, (user + system) / 1000);
}

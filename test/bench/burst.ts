import type { Line } from './line.js';
import { cpuNs } from './processor.js';

/** What came of a burst: every line asked so many times, the next time when it had its answer. */
export interface Burst {
  readonly ms: number;
  readonly serverCpuNs: number;
  readonly latenciesMs: readonly number[];
  /** Of each line, in order. */
  readonly answers: readonly (readonly Buffer[])[];
}

/**
 * @param requests of each line, ready: what a client computes is not the server's
 * @param longestMs after that time nothing more is asked, so that a slow machine takes no longer
 */
export function burst(
  lines: readonly Line[],
  requests: readonly (readonly string[])[],
  serverPid: number,
  longestMs = Number.POSITIVE_INFINITY,
): Promise<Burst> {
  return new Promise((resolve) => {
    const latenciesMs: number[] = [];
    const answers: Buffer[][] = lines.map(() => []);
    let open = lines.length;
    const cpuBefore = cpuNs(serverPid);
    const startedMs = performance.now();
    const end = (): void => {
      const ms = performance.now() - startedMs;
      resolve({ ms, serverCpuNs: cpuNs(serverPid) - cpuBefore, latenciesMs, answers });
    };
    lines.forEach((line, at) => {
      const [asked, got] = [requests[at]!, answers[at]!];
      let sentMs = 0;
      const ask = (): void => {
        const request = asked[got.length];
        sentMs = performance.now();
        if (request === undefined || sentMs - startedMs > longestMs) {
          if (--open === 0) end();
          return;
        }
        line.send(request);
      };
      line.onAnswer = (answer) => {
        latenciesMs.push(performance.now() - sentMs);
        got.push(answer);
        ask();
      };
      ask();
    });
    if (lines.length === 0) end();
  });
}

// Loaded into a process with `node --import`: its wall clock is off by BERTH_SKEW_MS. The monotonic clock is right, as on a real computer
// whose clock somebody has set wrong.
// It jumps while the process runs when a file named in BERTH_SKEW_FILE has another number in it and SIGUSR2 comes.
import { readFileSync } from 'node:fs';

let skewMs = Number(process.env.BERTH_SKEW_MS ?? 0);
process.on('SIGUSR2', () => {
  skewMs = Number(readFileSync(process.env.BERTH_SKEW_FILE ?? '', 'utf8'));
});
const RealDate = Date;
const realNow = Date.now.bind(Date);

class SkewedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(realNow() + skewMs);
    else super(...(given as [number]));
  }
  static override now(): number {
    return realNow() + skewMs;
  }
}

globalThis.Date = SkewedDate as DateConstructor;

// Loaded into a process with `node --import`: its wall clock is off by BERTH_SKEW_MS. The monotonic clock is right, as on a real computer
// whose clock somebody has set wrong.
const skewMs = Number(process.env.BERTH_SKEW_MS ?? 0);
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

import { expect, test } from 'vitest';
import { SimClock } from '../../simulation/sim-clock.js';
import { SimTime } from '../../simulation/sim-time.js';

test('a clock that stands and is set right is right at once', () => {
  const clock = new SimClock(new SimTime(), { driftPpm: 0, wallOffsetMs: 0 });
  clock.jump(60_000);
  clock.freeze();
  clock.setRight();
  expect(clock.errorMs).toBe(0);
  clock.thaw();
  expect(clock.errorMs).toBe(0);
});

import { expect, test } from 'vitest';
import { SimClock } from '../../simulation/sim-clock.js';
import { SimTime } from '../../simulation/sim-time.js';
import { SteadyBound } from '../../simulation/steady-bound.js';

test('time counts as seen no further than clocks ran, or than an admin vouched for', () => {
  const clock = new SimClock(new SimTime(), { driftPpm: 0, wallOffsetMs: 0 });
  const said: string[] = [];
  const bound = new SteadyBound(clock, (text) => said.push(text));
  const startMs = clock.wallMs();
  bound.look([{ type: 'clock.seen', wallMs: startMs }]);
  expect(said).toEqual([]);
  clock.jump(3_600_000);
  bound.look([{ type: 'clock.seen', wallMs: startMs + 3_600_000 }]);
  expect(said).toEqual(['time counts as seen 3600000 ms ahead of what has gone by']);
  const who = { by: 'a@x', device: 'd1', highWaterMs: startMs, steadyWallMs: startMs };
  bound.look([
    { type: 'clock.accepted', wallMs: startMs + 3_600_000, ...who },
    { type: 'clock.seen', wallMs: startMs + 3_600_000 },
  ]);
  expect(said).toHaveLength(1);
});

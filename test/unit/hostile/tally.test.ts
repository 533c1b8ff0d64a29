import { expect, test } from 'vitest';
import { Tally, USUAL_SECONDS } from '../../hostile/attack.js';

test.each([
  ['the usual time', USUAL_SECONDS, 100, 99],
  ['a quarter of it', USUAL_SECONDS / 4, 25, 24],
  ['no more in a longer one', 10 * USUAL_SECONDS, 100, 99],
  ['once at least in the shortest', USUAL_SECONDS / 1_000, 1, 0],
])('what makes an attack one follows how long it is: %s', (_, seconds, enough, tooFew) => {
  const problems = (times: number): number => {
    const tally = new Tally({ seconds });
    if (times > 0) tally.add('resumed', times);
    tally.expect('resumed', 100);
    return tally.outcome.problems.length;
  };
  expect([problems(enough), problems(tooFew)]).toEqual([0, 1]);
});

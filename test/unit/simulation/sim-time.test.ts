import { expect, test } from 'vitest';
import { newOwner, SimTime } from '../../simulation/sim-time.js';

// What a seed leads to follows from the order of events alone.

test('what a frozen process was to do waits until it goes on, in its order; others are not held up', async () => {
  const time = new SimTime();
  const [frozen, other] = [newOwner(), newOwner()];
  const done: string[] = [];
  time.after(20, frozen, () => done.push(`second at ${time.nowMs}`));
  time.after(10, frozen, () => done.push(`first at ${time.nowMs}`));
  time.after(30, other, () => done.push(`other at ${time.nowMs}`));
  frozen.frozenUntilMs = 100;
  await time.run(200);
  expect(done).toEqual(['other at 30', 'first at 100', 'second at 100']);
});

test('who thaws early does at once what was put off, and later what is not due yet', async () => {
  const time = new SimTime();
  const frozen = newOwner();
  const done: string[] = [];
  time.after(10, frozen, () => done.push(`due at ${time.nowMs}`));
  time.after(80, frozen, () => done.push(`later at ${time.nowMs}`));
  frozen.frozenUntilMs = 1_000_000;
  await time.run(50);
  time.thaw(frozen);
  await time.run(100);
  expect(done).toEqual(['due at 50', 'later at 80']);
});

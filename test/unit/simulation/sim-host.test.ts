import { expect, test } from 'vitest';
import { fastCrypto } from '../../simulation/sim-crypto.js';
import { type HostParts, simHost } from '../../simulation/sim-host.js';
import { newOwner, SimTime } from '../../simulation/sim-time.js';

test('what is left of a deadline is waited for, however little: time goes on (seed 100)', async () => {
  const time = new SimTime();
  await time.run(34_449_400);
  const host = simHost({ time, owner: newOwner(), crypto: fastCrypto } as HostParts);
  const beganMs = time.nowMs;
  const firedAtMs: number[] = [];
  host.setTimer(() => firedAtMs.push(time.nowMs), 3.7e-9);
  await time.run(beganMs + 5);
  expect(firedAtMs).toEqual([beganMs + 1]);
});

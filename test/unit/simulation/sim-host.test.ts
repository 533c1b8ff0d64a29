import { expect, test } from 'vitest';
import { fastCrypto } from '../../simulation/sim-crypto.js';
import { type HostParts, simHost } from '../../simulation/sim-host.js';
import { Dice } from '../../simulation/sim-random.js';
import { newOwner, SimTime } from '../../simulation/sim-time.js';

test('what is left of a deadline is waited for, however little: time goes on (seed 100)', async () => {
  const time = new SimTime();
  await time.run(34_449_400);
  const host = simHost({ time, owner: newOwner(), crypto: fastCrypto, processId: 'pc1/1' } as HostParts);
  const beganMs = time.nowMs;
  const firedAtMs: number[] = [];
  host.setTimer(() => firedAtMs.push(time.nowMs), 3.7e-9);
  await time.run(beganMs + 5);
  expect(firedAtMs).toEqual([beganMs + 1]);
});

test('processes whose dice are in the same state make nonces of their own all the same, and throw the same (seed 100)', () => {
  const [one, other] = ['pc1/1', 'pc2/1'].map((processId) =>
    simHost({ processId, crypto: fastCrypto, dice: new Dice(1, 'same') } as HostParts),
  );
  expect(one!.randomBytes(4)).toEqual(other!.randomBytes(4));
  expect(one!.randomBytes(16)).not.toEqual(other!.randomBytes(16));
});

import { expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import { World } from './auditor-world.js';

const QUIET = { fromT: 10_000, untilT: 20_000 };

/** An admin vouches for the clock, once at each of these moments, and is told what it was before. */
function vouchedFor(...times: readonly (readonly [atMs: number, state: string])[]): World {
  const world = new World();
  for (const [at, state] of times) {
    const key = `key-at-${at}`;
    const before = { state, wallMs: 0, steadyWallMs: 0, highWaterMs: 0, offMs: 0 };
    world.write(at, 'admin', { event: 'request', method: 'clock.accept', key });
    const text = JSON.stringify({ changed: state !== 'trusted', before });
    world.write(at + 100, 'admin', { event: 'result', method: 'clock.accept', key, text });
  }
  return world;
}

const broken = (world: World, quiet = {}): string[] =>
  audit({ ...world.case(), ...quiet })
    .findings.filter(({ rule }) => rule === 'CLOCK')
    .map(({ text }) => text);

test.each(['ahead', 'behind'])('a clock that is %s is trusted once somebody has vouched for it', (state) => {
  const once = vouchedFor([5_000, state], [15_000, 'trusted'], [25_000, 'trusted']);
  expect(broken(once, { quiet: QUIET })).toEqual([]);
  const again = vouchedFor([5_000, state], [15_000, state]);
  expect(broken(again, { quiet: QUIET })).toEqual([
    `at 15100 ms the clock of the server is ${state}, though an admin had vouched for it and nobody has touched it since`,
  ]);
});

test('while things go wrong it may be off again and again', () => {
  const often = vouchedFor([5_000, 'ahead'], [9_950, 'behind']);
  expect(broken(often, { quiet: QUIET })).toEqual([]);
  expect(broken(often)).toEqual([]);
});

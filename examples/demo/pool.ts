import { strict as assert } from 'node:assert';
import type { Line } from './running.js';
import type { Stage } from './stage.js';

export const OWNER = 'it@studio.example';
export const PRODUCT = 'render';

/** The seats of the product as `berth status --json` shows them. */
export async function poolOf(stage: Stage): Promise<Line> {
  const { pools } = await stage.must(OWNER, 'status', '--product', PRODUCT);
  return (pools as Line[])[0]!;
}

/** The numbers that are expected, and both equations of PRODUCT.md. */
export async function expectPool(stage: Stage, expected: Readonly<Record<string, number>>): Promise<void> {
  const pool = await poolOf(stage);
  for (const [name, value] of Object.entries(expected))
    assert.equal(pool[name], value, `${name} is ${pool[name]}, not ${value}: ${JSON.stringify(pool)}`);
  const count = (name: string): number => Number(pool[name]);
  assert.equal(count('owned'), count('allocated') + count('shared'));
  const places = count('inUse') + count('borrowed') + count('held') + count('free');
  assert.equal(places, count('owned') + count('over'));
}

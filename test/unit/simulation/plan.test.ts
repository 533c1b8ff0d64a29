import { expect, test } from 'vitest';
import { planOf } from '../../simulation/plan.js';

const seeds = Array.from({ length: 1000 }, (_, at) => at + 1);

test('most sites are small, one in five is a crowd, and every fiftieth is large', () => {
  const clients = seeds.map((seed) => planOf({ seed }).clients);
  const large = clients.filter((count) => count === 200);
  const crowds = clients.filter((count) => count >= 12 && count <= 20);
  const small = clients.filter((count) => count >= 2 && count <= 6);
  expect(large).toHaveLength(20);
  expect(crowds.length).toBeGreaterThan(150);
  expect(crowds.length).toBeLessThan(250);
  expect(large.length + crowds.length + small.length).toBe(seeds.length);
  expect(new Set(small).size + new Set(crowds).size).toBe(14);
});

test('seats follow the clients, so that each is wanted by as many', () => {
  for (const seed of seeds) {
    const { clients, scale } = planOf({ seed });
    expect(scale).toBe(clients / 20);
  }
});

test('in one seed of ten the server is made anew of a backup, and in all where that is asked for', () => {
  const restored = seeds.map((seed) => planOf({ seed })).filter(({ restores }) => restores);
  expect(restored).toHaveLength(100);
  expect(restored.some(({ isLarge, beyond }) => isLarge || beyond)).toBe(false);
  expect(seeds.every((seed) => planOf({ seed, restores: true }).restores)).toBe(true);
});

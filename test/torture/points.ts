/** Where the server dies. `random`: when the clock says so, whatever it does then. The others are counted by the server itself. */
export const points = [
  'random',
  'while starting',
  'in the middle of a write',
  'before sync',
  'after sync before head',
  'after head before reply',
  'while signing',
  'while sending',
] as const;

export type Point = (typeof points)[number];

/** How a server ends: at the `at`-th such moment, from 1. */
export interface Doom {
  readonly point: Point;
  readonly at: number;
}

/** The highest `at` of each point: about as many such moments as a round has. */
const most: Readonly<Record<Point, number>> = {
  random: 1,
  'while starting': 12,
  'in the middle of a write': 24,
  'before sync': 24,
  'after sync before head': 24,
  'after head before reply': 24,
  'while signing': 100,
  'while sending': 150,
};

/** A third of them early: when everybody comes back at once. */
export function drawDoom(random: { next(): number; between(low: number, high: number): number }): Doom {
  const point = points[Math.floor(random.next() * points.length)]!;
  const limit = random.next() < 1 / 3 ? Math.ceil(most[point] / 6) : most[point];
  return { point, at: random.between(1, limit) };
}

import { readClock } from '@berth/server/domain/clock';
import { describe, expect, test } from 'vitest';
import { DAY_MS, START_MS, World } from './world.js';

const HOUR_MS = 3_600_000;

function behind(): World {
  const world = new World();
  world.import();
  world.now = { ...world.now, wallMs: START_MS - HOUR_MS, steadyWallMs: START_MS - HOUR_MS };
  return world;
}

describe('a clock behind what was seen (I5)', () => {
  test('is accepted by a word: granting begins again, and the journal says who, when and what was', () => {
    const world = behind();
    const a = world.user('a');
    const refused = world.refused(world.checkingOut(a), 'CLOCK_BEHIND');
    expect(refused.detail).toMatchObject({ behindMs: HOUR_MS });
    const command = { type: 'acceptClock', ...world.admin() } as const;
    const decision = world.send(command);
    expect(decision).toMatchObject({
      ok: true,
      changes: [
        {
          type: 'clock.accepted',
          wallMs: START_MS - HOUR_MS,
          highWaterMs: START_MS,
          by: 'owner@studio.example',
          device: command.by.device,
        },
        { type: 'request.kept' },
      ],
      outcome: { changed: true, before: { state: 'behind', offMs: HOUR_MS } },
    });
    expect(world.checkout(a).leases).toHaveLength(1);
    // A retry says the same and accepts nothing again.
    expect(world.send(command)).toMatchObject({ ok: true, changes: [], outcome: { changed: true } });
  });

  test('the word survives a restart', () => {
    const world = behind();
    const a = world.user('a');
    world.ok({ type: 'acceptClock', ...world.admin() });
    world.restart();
    expect(world.checkout(a).leases).toHaveLength(1);
  });

  test('five minutes are let pass, and one millisecond more is not', () => {
    const world = new World();
    const at = (wallMs: number) =>
      readClock(world.state, { ...world.now, wallMs, steadyWallMs: wallMs }).state;
    expect([at(START_MS - 300_000), at(START_MS - 300_001)]).toEqual(['trusted', 'behind']);
  });
});

describe('a clock that jumped ahead', () => {
  test('ends no borrow until it is accepted; then what is over ends', () => {
    const world = new World();
    world.import({ exp: (START_MS + 1000 * DAY_MS) / 1000 });
    const a = world.user('a');
    world.ok(world.borrowing(a, HOUR_MS / 1000));
    world.now = { ...world.now, wallMs: START_MS + DAY_MS };
    world.tick();
    expect(world.usage()).toMatchObject({ borrowed: 1 });
    const { before } = world.ok({ type: 'acceptClock', ...world.admin() });
    expect(before).toMatchObject({ state: 'ahead', offMs: DAY_MS, steadyWallMs: START_MS });
    // What the real clock does once the change is durable (`Clock.accept`).
    world.now = { ...world.now, steadyWallMs: world.now.wallMs };
    world.tick();
    expect(world.usage()).toMatchObject({ borrowed: 0, free: 3 });
  });
});

test('a trusted clock needs no word: nothing is written', () => {
  const world = new World();
  const decision = world.send({ type: 'acceptClock', ...world.admin() });
  expect(decision).toMatchObject({ ok: true, changes: [], outcome: { changed: false } });
});

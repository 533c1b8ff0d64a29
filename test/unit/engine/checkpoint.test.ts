import { Checkpoints } from '@berth/server/engine/checkpoint';
import { Issuer } from '@berth/server/engine/issuer';
import { expect, test } from 'vitest';

const HOUR_MS = 3_600_000;

test('one at the start and every hour, by whichever clock says that it has passed', () => {
  const now = { monoMs: 0, wallMs: Date.UTC(2026, 0, 15) };
  const written: string[] = [];
  const checkpoints = new Checkpoints({
    engine: {
      witness: { epoch: 'e', seq: 1, head: 'A'.repeat(43) },
      submit: async (command) => {
        written.push(command.type);
        return undefined as never;
      },
    },
    issuer: new Issuer(() => new Uint8Array(64)),
    clock: { now: () => now },
  });
  const after = (monoMs: number, wallMs = monoMs): number => {
    now.monoMs += monoMs;
    now.wallMs += wallMs;
    checkpoints.look();
    return written.length;
  };
  expect([after(0), after(1000), after(HOUR_MS - 1001), after(1), after(1000)]).toEqual([1, 1, 1, 2, 2]);
  // It slept, or its clock was set ahead; set back it loses none.
  expect([after(1000, HOUR_MS), after(1000, -5 * HOUR_MS), after(HOUR_MS - 1001), after(1)]).toEqual([
    3, 3, 3, 4,
  ]);
  expect(new Set(written)).toEqual(new Set(['checkpoint']));
});

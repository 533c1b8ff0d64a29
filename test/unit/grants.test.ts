import type { LeaseClaims } from '@berth/protocol';
import { encodeResult, limits } from '@berth/protocol';
import type { HandlerDeps } from '@berth/server/admin/deps';
import { grant } from '@berth/server/admin/grants';
import { Issuer } from '@berth/server/engine/issuer';
import { expect, test } from 'vitest';
import { World } from './domain/world.js';

const longId = (letter: string, number: number): string => `${letter}-${number}`.padEnd(80, 'x');

/** A lease with the longest names there are. */
function lease(number: number, ent: string): LeaseClaims {
  return {
    jti: longId('l', number),
    ent,
    product: `p${number}`.padEnd(80, 'x'),
    seat: longId('s', number),
    n: limits.seatsPerEntitlement,
    kind: 'online',
    dev: `ed25519:${'A'.repeat(43)}`,
    nonce: 'n'.repeat(22),
    iat: 1_800_000_000,
    exp: 1_800_003_600,
    dur: 3600,
    epoch: 'e'.repeat(40),
    seq: Number.MAX_SAFE_INTEGER,
    head: 'h'.repeat(43),
  };
}

test('a session full of leases, each of another entitlement of the largest size, fits one frame', async () => {
  const world = new World();
  const ids = Array.from({ length: limits.leasesPerSession }, (_, at) => longId('e', at));
  for (const jti of ids) {
    const command = world.importing({ jti });
    world.ok({ ...command, token: jti.padEnd(limits.tokenChars, 't') });
  }
  const deps = {
    engine: { readOf: (_: unknown, view: (state: typeof world.state) => unknown) => view(world.state) },
    issuer: new Issuer(() => new Uint8Array(64)),
  } as unknown as HandlerDeps;
  const granted = await grant(
    deps,
    ids.map((ent, at) => lease(at, ent)),
  );
  expect(granted.leases).toHaveLength(limits.leasesPerSession);
  // The first of them, each once.
  expect(new Set(granted.entitlements).size).toBe(32);
  expect(granted.entitlements[0]!.startsWith(ids[0]!)).toBe(true);
  const frame = encodeResult(1, { ...granted, joined: false });
  expect(Buffer.byteLength(frame)).toBeLessThan(limits.replyBytes);
  // An entitlement that several leases share is sent once.
  const shared = await grant(
    deps,
    [1, 2, 3].map((at) => lease(at, ids[7]!)),
  );
  expect(shared.entitlements).toHaveLength(1);
});

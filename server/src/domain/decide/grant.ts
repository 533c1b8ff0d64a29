import type { LeaseClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import { readClock } from '../clock.js';
import { type By, type Context, type Denial, deny } from '../commands.js';
import { principalOf } from '../machines.js';
import type { Device, Seat, State } from '../state.js';
import type { Pick, Term } from './choose.js';

/** Why the server grants nothing new at all, whoever asks; `null` when it does. */
export function closed(state: State, context: Context): Denial | null {
  const { state: trust, offMs } = readClock(state, context.now);
  if (trust === 'behind') {
    return deny(
      'CLOCK_BEHIND',
      `The clock of the server is ${Math.round(offMs / 60_000)} minutes behind what it has seen.`,
      { behindMs: offMs },
    );
  }
  return context.diskLow ? deny('DISK_LOW') : null;
}

/** The device that asks, if it and its user still exist and the user has joined. */
export function deviceOf(state: State, by: By): Device | Denial {
  const device = state.tables.device.get(by.device);
  return device === undefined || principalOf(state, device) === undefined ? deny('DEVICE_UNKNOWN') : device;
}

/** Takes the chosen seats, with one lease for each. */
export function grantSeats(
  picks: readonly Pick[],
  asked: { product: string; device: Device; shareKey: string | null; nonce: string; term: Term },
  context: Context,
): { changes: Change[]; leases: LeaseClaims[] } {
  const { product, device, shareKey } = asked;
  const group = context.newId('g');
  const [changes, leases]: [Change[], LeaseClaims[]] = [[], []];
  for (const { entitlement, allocation, count } of picks) {
    const seat: Seat = {
      id: context.newId('s'),
      group,
      product,
      entitlement: entitlement.claims.jti,
      count,
      allocation,
      email: device.email,
      device: device.id,
      shareKey,
      takenAtMs: context.now.wallMs,
    };
    const lease = grantLease(seat, count, asked, context);
    changes.push({ type: 'seat.taken', seat }, lease.change);
    leases.push(lease.claims);
  }
  return { changes, leases };
}

/**
 * A lease on a seat that is or will be taken: `n` of its seats, for this device.
 * @param asked.fromSeconds where the entitlement may not have begun: it signs for the time from then, as a renewal does (renew.ts)
 */
export function grantLease(
  seat: Seat,
  n: number,
  asked: { device: Device; nonce: string; term: Term; fromSeconds?: number },
  context: Context,
): { change: Change; claims: LeaseClaims } {
  const iat = Math.max(asked.fromSeconds ?? 0, Math.floor(context.now.wallMs / 1000));
  const claims: LeaseClaims = {
    jti: context.newId('l'),
    ent: seat.entitlement,
    product: seat.product,
    seat: seat.id,
    n,
    kind: asked.term.kind,
    dev: asked.device.leaseKey,
    nonce: asked.nonce,
    iat,
    exp: iat + asked.term.seconds,
    dur: asked.term.seconds,
    ...context.witness,
  };
  const lease = {
    claims,
    device: asked.device.id,
    email: asked.device.email,
    state: 'open',
    grantedAtMs: context.now.wallMs,
    ...(asked.term.holdMs ? { holdMs: asked.term.holdMs } : {}),
  } as const;
  return { change: { type: 'lease.granted', lease }, claims };
}

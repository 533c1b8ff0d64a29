import { edit, type Mutant, mutant } from './mutant.js';

const checkout = 'server/dist/domain/decide/checkout.js';
const choose = 'server/dist/domain/decide/choose.js';
const decide = 'server/dist/domain/decide/decide.js';
const evolve = 'server/dist/domain/evolve.js';
const handlers = 'server/dist/admin/lease-handlers.js';
const line = 'server/dist/engine/waiting-line.js';

/** Online leases: how many, how long, for whom, and once. */
export const plantedInLeases: readonly Mutant[] = [
  mutant(
    'hold-zero',
    'I2',
    'The seat is free as soon as D is over.',
    edit(
      'protocol/dist/windows.js',
      'return Math.ceil((durationMs * (PER_RHO + 1)) / (PER_RHO - 1)) + STOP_MS;',
      'return durationMs;',
    ),
  ),
  mutant(
    'wall-clock-for-leases',
    'I2',
    'Online leases end by the wall clock of the server.',
    edit(
      'server/dist/ops/clock.js',
      'return { monoMs, wallMs, steadyWallMs',
      'return { monoMs: wallMs, wallMs, steadyWallMs',
    ),
  ),
  mutant(
    'renewal-not-counted',
    'I2',
    'A renewal is answered, but the window does not move.',
    edit(evolve, 'state.windowEndsMs.set(id, monoMs + windowMs(known(state.tables.lease, id)));', ''),
  ),
  mutant(
    'dropped-idempotency-row',
    'I7',
    'The answer to a request is not kept for its retry.',
    edit(
      decide,
      'changes: [...decision.changes, keep(id, command.type, request, decision.outcome, context)],',
      'changes: decision.changes,',
    ),
  ),
  mutant(
    'retry-signed-anew',
    'I7',
    'A retry gets the lease with new times.',
    edit(
      handlers.replace('lease-handlers', 'grants'),
      "deps.issuer.issue('lease', claims)",
      "deps.issuer.issue('lease', { ...claims, iat: Math.floor(deps.clock.now().wallMs / 1000), exp: Math.floor(deps.clock.now().wallMs / 1000) + claims.dur })",
    ),
  ),
  mutant(
    'resume-takes-another',
    'I7',
    'Coming back after a cut takes a second seat beside the first.',
    edit(
      handlers,
      'return renew(deps, caller, { leases, nonce, idle: [], withEntitlements: true });',
      `for (const id of leases) {
                const lease = deps.state.tables.lease.get(id);
                if (lease !== undefined && lease.state === 'open')
                    await engine.submit({ type: 'checkout', by: { email: caller.email, device: caller.deviceId }, request: { device: caller.deviceId, key: \`\${nonce}-\${id}\`, hash: nonce }, wants: [{ products: [lease.claims.product], seats: 1 }], nonce, places: 1 });
            }
            return renew(deps, caller, { leases, nonce, idle: [], withEntitlements: true });`,
    ),
  ),
  mutant(
    'bundle-half-granted',
    'GRANT',
    'A bundle of which one half is missing is granted without it.',
    edit(
      checkout,
      'if (denials.length > 0)\n        return missing',
      'if (denials.length > 0 && granted.size === 0)\n        return missing',
    ),
  ),
  mutant(
    'join-with-larger-n',
    'I1',
    'Whoever joins a seat may get more seats than it has.',
    edit(checkout, '.find((each) => sizeOf(each) >= seats)', '.find(() => true)'),
    edit(checkout, 'const n = Math.min(seat.count, left);', 'const n = left;'),
  ),
  mutant(
    'joins-a-stranger',
    'SHARE',
    'A seat that a device shares is joined by other devices of its user.',
    edit(
      'server/dist/domain/state.js',
      "share === 'device' ? `$".concat('{product} device $', '{device}`'),
      "share === 'device' ? `$".concat('{product} device $', '{email}`'),
    ),
  ),
  mutant(
    'over-what-is-owned',
    'I1',
    'Each entitlement is kept, their sum is not: seats on ended ones are forgotten.',
    edit(choose, 'out + givenUp.seats + wish.seats <= usage.owned', 'true'),
  ),
  mutant(
    'room-not-looked-at',
    'I1',
    'An entitlement grants one seat more than it has.',
    edit(
      choose,
      'const room = seats - state.derived.usedByEntitlement.get(jti) - before.of(entitlement);',
      'const room = seats + 1 - state.derived.usedByEntitlement.get(jti) - before.of(entitlement);',
    ),
    edit(
      choose,
      'out + givenUp.seats + wish.seats <= usage.owned',
      'out + givenUp.seats + wish.seats <= usage.owned + 1',
    ),
    edit(
      choose,
      'return seats - state.derived.allocated.get(jti) - state.derived.sharedUsed.get(jti);',
      'return seats + 1 - state.derived.allocated.get(jti) - state.derived.sharedUsed.get(jti);',
    ),
  ),
  mutant(
    'renewal-of-the-excess',
    'I1',
    'An entitlement that shrank below use goes on for all its seats.',
    edit('server/dist/domain/decide/renew.js', 'if (lasts && isCovered(state, own, seat))', 'if (lasts)'),
  ),
  mutant(
    'relocate-unchecked',
    'I1',
    'A seat moves to an entitlement with room, though seats held on others are more than is owned then.',
    edit(choose, 'if (used + taken.seats + wish.seats > owned)', 'if (used < 0)'),
  ),
  mutant(
    'revoked-is-free',
    'I2',
    'A forced release frees the seat at once, though its token is still valid.',
    edit(
      'server/dist/domain/decide/revoke-lease.js',
      "changes: [{ type: 'lease.revoked', id, by, reason }], outcome };",
      "changes: [{ type: 'lease.revoked', id, by, reason }, { type: 'lease.ended', id, reason: 'released' }], outcome };",
    ),
  ),
  mutant(
    'line-reversed',
    'LINE',
    'Who came last is served first.',
    edit(
      line,
      'this.#line.splice(behind < 0 ? this.#line.length : behind, 0, standing);',
      'this.#line.unshift(standing); void behind;',
    ),
  ),
  mutant(
    'place-lost',
    'LINE',
    'Whoever comes back to the line within 30 seconds stands at its end.',
    edit(line, 'this.#left.get(id)?.ticket ?? ++this.#tickets', '++this.#tickets'),
  ),
  mutant(
    'newcomers-overtake',
    'LINE',
    'A checkout that has just come takes a seat that others wait for.',
    edit(
      line,
      'if (place === undefined)\n            return this.#kept;',
      'if (place === undefined)\n            return new Map();',
    ),
  ),
  mutant(
    'idle-although-used',
    'IDLE',
    'A seat is taken back when one of its plugins is idle, though another is not.',
    edit(
      'server/dist/domain/decide/idle.js',
      'open.every((each) => this.#idleMs(each) >= limitMs)',
      'open.some((each) => this.#idleMs(each) >= limitMs)',
    ),
  ),
  mutant(
    'linger-for-anybody',
    'LINGER',
    'A seat that is kept for whoever had it is given to somebody else.',
    edit(
      'server/dist/domain/decide/linger.js',
      '?? `$'.concat('{product} kept $', '{device}`'),
      '?? `$'.concat('{product} kept`'),
    ),
  ),
  mutant(
    'grants-while-clock-behind',
    'I5',
    'Seats are granted although the clock was set back behind what had been seen.',
    edit('server/dist/domain/decide/grant.js', "if (trust === 'behind') {", "if (trust === 'never') {"),
  ),
  mutant(
    'joins-a-held-seat',
    'SHARE',
    'A seat that was taken back is joined by whoever shares it, before it is free.',
    edit(
      checkout,
      "const joinable = state.derived.statusBySeat.get(id) !== 'held' &&\n",
      'const joinable = seat.linger === undefined &&\n',
    ),
  ),
  mutant(
    'renewed-with-another-D',
    'I6',
    'A renewal lasts as long as is configured now; the seat is held by the D of its grant, which may be shorter.',
    edit(
      'server/dist/domain/decide/renew.js',
      'exp: iat + lease.claims.dur, ...context.witness };',
      'exp: iat + context.leaseSeconds, dur: context.leaseSeconds, ...context.witness };',
    ),
  ),
  mutant(
    'line-not-served-after-expiry',
    'LINE',
    'A seat that comes free because its lease ran out is given to nobody in line.',
    edit(
      'server/dist/engine/engine.js',
      'return !freesNothing.has(change.type) && !isGivenUp(change);',
      "return !freesNothing.has(change.type) && !isGivenUp(change) && !(change.type === 'lease.ended' && change.reason === 'expired');",
    ),
  ),
  mutant(
    'clock-accepted-not-lowered',
    'CLOCK',
    'An admin vouches for a clock that was set back, and it is believed no more than before.',
    edit(
      evolve,
      '{ ...organisation, highWaterMs: wallMs });',
      '{ ...organisation, highWaterMs: Math.max(wallMs, organisation.highWaterMs) });',
    ),
  ),
  mutant(
    'steady-not-accepted',
    'CLOCK',
    'An admin vouches for a clock that is ahead, and what ends by it goes on.',
    edit(
      'server/dist/ops/clock.js',
      'leadMs = Math.max(leadMs, acceptedMs - read().monoMs);',
      'void acceptedMs;',
    ),
  ),
  mutant(
    'lends-while-sharing-off',
    'SHARING',
    'A shared seat is lent while floating sharing is off.',
    edit(
      'server/dist/domain/decide/borrow.js',
      'if (isWithdrawn(state, seat.entitlement, seat.allocation) || !isOpenTo(state, seat))',
      'if (isWithdrawn(state, seat.entitlement, seat.allocation))',
    ),
  ),
  mutant(
    'last-D-of-a-seat-decides',
    'CHAIN',
    'A seat with several leases goes on in an entitlement that lasts long enough for the last of them, not for each.',
    edit(
      'server/dist/domain/decide/renew.js',
      'longest = Math.max(longest, claims.dur);',
      'longest = claims.dur;',
    ),
  ),
];

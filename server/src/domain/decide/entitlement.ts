import type { EntitlementClaims } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { isLive } from '../derive.js';
import { allocationId, type Entitlement, organisationOf, type State } from '../state.js';
import { entitlementInfo } from '../views.js';
import { dropAllocations, withdraw } from './allocation.js';
import { borrowedBy, seatFreeAtMs } from './denial.js';
import { inherits } from './inherit.js';

/** Imports an entitlement whose vendor signature was verified. The highest revision wins; the same one changes nothing. */
export function importEntitlement(
  state: State,
  command: Command<'import'>,
  context: Context,
): Decision<'import'> {
  if (context.diskLow) return deny('DISK_LOW');
  const { claims, token } = command;
  const known = state.tables.entitlement.get(claims.jti);
  const refused =
    foreign(state, claims) ??
    superseded(known, command) ??
    outdated(claims, context) ??
    mismatch(state, claims);
  if (refused !== null) return refused;
  if (known !== undefined && known.token === token && isLive(known)) {
    return {
      ok: true,
      changes: [],
      outcome: { entitlement: entitlementInfo(state, known, context.now), changed: false },
    };
  }
  const replaced = replacedBy(state, claims);
  if (replaced !== null && 'ok' in replaced) return replaced;
  const heirOf = [known, replaced ?? undefined].filter(
    (old) => old !== undefined && isLive(old),
  ) as Entitlement[];
  const conflict = inherits(state, claims, heirOf, context);
  if (conflict !== null) return conflict;
  const active = claims.nbf * 1000 <= context.now.wallMs;
  const entitlement: Entitlement = { claims, token, state: active ? 'active' : 'future' };
  const changes: Change[] = [
    ...newProduct(state, claims),
    { type: 'entitlement.put', entitlement },
    ...(replaced === null ? [] : moveAll(state, replaced, claims)),
    ...personal(state, heirOf, claims, command.by.email),
  ];
  const info = entitlementInfo(state, entitlement, context.now);
  const allocated = claims.holder === undefined ? info.allocated + movedSeats(state, replaced) : claims.seats;
  return { ok: true, changes, outcome: { entitlement: { ...info, allocated }, changed: true } };
}

function foreign(state: State, claims: EntitlementClaims): Denial | null {
  return claims.sub === organisationOf(state).serverKey
    ? null
    : deny('ENTITLEMENT_FOREIGN', undefined, { issuedTo: claims.sub });
}

function outdated(claims: EntitlementClaims, { now }: Context): Denial | null {
  return claims.exp * 1000 <= now.wallMs ? deny('ENTITLEMENT_EXPIRED') : null;
}

function superseded(known: Entitlement | undefined, { claims, token }: Command<'import'>): Denial | null {
  if (known === undefined) return null;
  if (claims.iss !== known.claims.iss)
    return deny('VENDOR_MISMATCH', undefined, { vendor: known.claims.iss });
  // Final: whatever the other one grants now would be granted twice.
  if (known.state === 'replaced')
    return deny('ENTITLEMENT_SUPERSEDED', 'The entitlement was replaced by another one.');
  if (claims.rev < known.claims.rev) {
    const message = `Revision ${known.claims.rev} is known; this is revision ${claims.rev}.`;
    return deny('ENTITLEMENT_SUPERSEDED', message, { known: known.claims.rev });
  }
  if (claims.rev === known.claims.rev && token !== known.token) return deny('ENTITLEMENT_CONFLICT');
  return claims.product === known.claims.product
    ? null
    : deny('ENTITLEMENT_CONFLICT', 'A revision cannot change the product.');
}

/** A product belongs to the first vendor key that brought it, and has one share rule (DESIGN 4). */
function mismatch(state: State, claims: EntitlementClaims): Denial | null {
  const product = state.tables.product.get(claims.product);
  if (product === undefined) return null;
  if (product.vendor !== claims.iss) return deny('VENDOR_MISMATCH', undefined, { vendor: product.vendor });
  return product.share === claims.share ? null : deny('SHARE_MISMATCH', undefined, { share: product.share });
}

function newProduct(state: State, { product, iss, share }: EntitlementClaims): Change[] {
  if (state.tables.product.has(product)) return [];
  return [{ type: 'product.put', product: { product, vendor: iss, share, sharing: true } }];
}

/** The entitlement that `replaces` names; `null` when it names none, or one that was replaced by this one before. */
function replacedBy(state: State, claims: EntitlementClaims): Entitlement | Denial | null {
  if (claims.replaces === undefined || claims.replaces === claims.jti) return null;
  const old = state.tables.entitlement.get(claims.replaces);
  if (old === undefined) {
    return deny('ENTITLEMENT_UNKNOWN', `It replaces ${claims.replaces}, which is not known here.`);
  }
  if (old.claims.product !== claims.product) {
    return deny('ENTITLEMENT_CONFLICT', 'It replaces an entitlement of another product.');
  }
  return old.state === 'replaced' ? null : old;
}

function movedSeats(state: State, replaced: Entitlement | null): number {
  return replaced === null ? 0 : state.derived.allocated.get(replaced.claims.jti);
}

/** The replaced one ends for good; what was allocated and taken from it goes to its heir. */
function moveAll(state: State, old: Entitlement, { jti: to, holder }: EntitlementClaims): Change[] {
  const from = old.claims.jti;
  const changes: Change[] = [];
  for (const id of state.derived.allocationsByEntitlement.get(from)) {
    const { email, quantity } = state.tables.allocation.get(id)!;
    changes.push({ type: 'allocation.set', allocation: { email, entitlement: from, quantity: 0 } });
    if (holder !== undefined || old.claims.holder !== undefined) continue; // personal() sets those
    const before = state.tables.allocation.get(allocationId(email, to))?.quantity ?? 0;
    changes.push({
      type: 'allocation.set',
      allocation: { email, entitlement: to, quantity: before + quantity },
    });
  }
  for (const id of state.derived.seatsByEntitlement.get(from)) {
    const { allocation, email } = state.tables.seat.get(id)!;
    const kept =
      allocation !== null && (holder === undefined || holder === email) ? allocationId(email, to) : null;
    const gone = kept !== null && holder === undefined && old.claims.holder !== undefined;
    changes.push({ type: 'seat.charged', id, entitlement: to, allocation: gone ? null : kept });
  }
  changes.push({ type: 'entitlement.state', id: from, state: 'replaced' });
  return changes;
}

/** A personal entitlement is all its holder's: a former holder's allocation ends, and others' leases on it are revoked. */
function personal(
  state: State,
  heirOf: readonly Entitlement[],
  claims: EntitlementClaims,
  by: string,
): Change[] {
  const changes: Change[] = [];
  const { jti, holder, seats } = claims;
  for (const { claims: old } of heirOf) {
    if (old.holder === undefined || old.holder === holder || old.jti !== jti) continue;
    changes.push({
      type: 'allocation.set',
      allocation: { email: old.holder, entitlement: jti, quantity: 0 },
    });
  }
  if (holder === undefined) return changes;
  changes.push({ type: 'allocation.set', allocation: { email: holder, entitlement: jti, quantity: seats } });
  for (const { claims: old } of heirOf) {
    for (const id of state.derived.seatsByEntitlement.get(old.jti)) {
      const seat = state.tables.seat.get(id)!;
      if (seat.email === holder) continue;
      changes.push(...withdraw(state, seat, by, 'The seat was granted to another holder by the vendor.'));
      if (seat.allocation !== null && old.jti === jti) {
        changes.push({ type: 'seat.charged', id, entitlement: jti, allocation: null });
      }
    }
  }
  return changes;
}

/** Removes an entitlement: refused while a seat of it is borrowed (I8) or allocated; its live leases are revoked. */
export function removeEntitlement(
  state: State,
  command: Command<'removeEntitlement'>,
  context: Context,
): Decision<'removeEntitlement'> {
  const { id } = command;
  const entitlement = state.tables.entitlement.get(id);
  if (entitlement === undefined || entitlement.state === 'removed')
    return deny('ENTITLEMENT_UNKNOWN', undefined, { id });
  if (entitlement.state === 'replaced')
    return deny('ENTITLEMENT_SUPERSEDED', 'It was replaced by another one.', { id });
  const borrower = borrowerOf(state, id, context);
  if (borrower !== null) return borrowedBy(borrower.email, borrower.untilMs);
  if (entitlement.claims.holder === undefined && state.derived.allocated.get(id) > 0) {
    return deny('ALLOCATED', undefined, { allocated: state.derived.allocated.get(id) });
  }
  const changes: Change[] = [];
  for (const seatId of state.derived.seatsByEntitlement.get(id)) {
    const seat = state.tables.seat.get(seatId)!;
    changes.push(...withdraw(state, seat, command.by.email, 'The entitlement was removed.'));
  }
  changes.push(...dropAllocations(state, id), { type: 'entitlement.state', id, state: 'removed' });
  return { ok: true, changes, outcome: { id } };
}

/** Whoever has borrowed a seat of this entitlement the longest; `null` when nobody has. */
function borrowerOf(
  state: State,
  entitlement: string,
  context: Context,
): { email: string; untilMs: number } | null {
  let found: { email: string; untilMs: number } | null = null;
  for (const id of state.derived.seatsByEntitlement.get(entitlement)) {
    if (state.derived.statusBySeat.get(id) !== 'borrowed') continue;
    const untilMs = seatFreeAtMs(state, id, context.now);
    if (found === null || untilMs > found.untilMs)
      found = { email: state.tables.seat.get(id)!.email, untilMs };
  }
  return found;
}

import { type EntitlementClaims, formatDay } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, type Denial, deny } from '../commands.js';
import { spentOf } from '../credits.js';
import { isLive } from '../derive.js';
import { noticeAt } from '../end-notices.js';
import { succeeds } from '../endorsements.js';
import { isActive } from '../pools.js';
import { type Allocation, allocationId, type Entitlement, organisationOf, type State } from '../state.js';
import { entitlementInfo } from '../views.js';
import { withdraw } from './allocation.js';
import { inherits } from './inherit.js';
import { afterFreeing, endLingers } from './linger.js';

/** Imports an entitlement whose vendor signature was verified. The highest revision wins; the same one changes nothing. */
export function importEntitlement(
  state: State,
  command: Command<'import'>,
  context: Context,
): Decision<'import'> {
  if (context.diskLow) return deny('DISK_LOW');
  const { claims, token } = command;
  const known = state.tables.entitlement.get(claims.jti);
  const refused = foreign(state, claims) ?? superseded(state, known, command) ?? outdated(claims, context);
  if (refused !== null) return refused;
  if (known !== undefined && known.token === token && isLive(known)) {
    return {
      ok: true,
      changes: [],
      outcome: { entitlement: entitlementInfo(state, known, context.now), changed: false },
    };
  }
  const mismatched = mismatch(state, claims);
  if (mismatched !== null) return mismatched;
  const replaced = replacedBy(state, claims);
  if (replaced !== null && 'ok' in replaced) return replaced;
  const heirOf = [known, replaced ?? undefined].filter(
    (old) => old !== undefined && isLive(old),
  ) as Entitlement[];
  const conflict = inherits(state, claims, heirOf, context) ?? beginsLater(claims, heirOf, context);
  if (conflict !== null) return conflict;
  const active = claims.nbf * 1000 <= context.now.wallMs;
  // Who imports it sees when it ends: the warnings are those that come due later.
  const warned = noticeAt(claims, Math.max(context.now.wallMs, claims.nbf * 1000));
  const entitlement: Entitlement = {
    claims,
    token,
    ...(warned === null ? {} : { warned }),
    state: active ? 'active' : 'future',
    // A new revision does not undo what an admin decided; `entitlement remove --cancel` does.
    ...(known?.removing !== undefined && isLive(known) ? { removing: known.removing } : {}),
  };
  const changes = afterFreeing(heirOf.length > 0 ? endLingers(state, claims.product, 'pool changed') : [], [
    ...newProduct(state, claims),
    { type: 'entitlement.put', entitlement },
    ...(replaced === null ? [] : moveAll(state, replaced, claims)),
    ...personal(state, heirOf, claims, command.by.email),
  ]);
  const info = entitlementInfo(state, entitlement, context.now);
  const allocated = claims.holder === undefined ? info.allocated + movedSeats(state, replaced) : claims.seats;
  return { ok: true, changes, outcome: { entitlement: { ...info, allocated }, changed: true } };
}

/** It takes over at once: one that begins later would leave nothing to those who work until then. */
function beginsLater(
  claims: EntitlementClaims,
  heirOf: readonly Entitlement[],
  { now }: Context,
): Denial | null {
  const inForce = heirOf.find((old) => isActive(old, now));
  if (inForce === undefined || claims.nbf * 1000 <= now.wallMs) return null;
  const from = formatDay(claims.nbf * 1000);
  return deny(
    'ENTITLEMENT_CONFLICT',
    `It begins on ${from} and would end ${inForce.claims.jti} at once: until then there would be no seats.`,
    { from, known: inForce.claims.jti },
    `Import it on ${from}, or ask the vendor for a revision that begins no later than today, or for one with an id of its own that replaces nothing: seats in use then go over by themselves.`,
  );
}

function foreign(state: State, claims: EntitlementClaims): Denial | null {
  return claims.sub === organisationOf(state).serverKey
    ? null
    : deny('ENTITLEMENT_FOREIGN', undefined, { issuedTo: claims.sub });
}

function outdated(claims: EntitlementClaims, { now }: Context): Denial | null {
  return claims.exp * 1000 <= now.wallMs ? deny('ENTITLEMENT_EXPIRED') : null;
}

function superseded(
  state: State,
  known: Entitlement | undefined,
  { claims, token }: Command<'import'>,
): Denial | null {
  if (known === undefined) return null;
  if (!succeeds(state, known.claims.iss, claims.iss, known.claims.product))
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
    const allocation = state.tables.allocation.get(id)!;
    const { email } = allocation;
    changes.push({ type: 'allocation.set', allocation: { email, entitlement: from, quantity: 0 } });
    if (holder !== undefined || old.claims.holder !== undefined) continue; // personal() sets those
    const heir = state.tables.allocation.get(allocationId(email, to));
    changes.push({ type: 'allocation.set', allocation: merged(allocation, heir, to) });
  }
  for (const id of state.derived.seatsByEntitlement.get(from)) {
    const { allocation, email } = state.tables.seat.get(id)!;
    const kept =
      allocation !== null && (holder === undefined || holder === email) ? allocationId(email, to) : null;
    const gone = kept !== null && holder === undefined && old.claims.holder !== undefined;
    changes.push({ type: 'seat.charged', id, entitlement: to, allocation: gone ? null : kept });
  }
  const spent = spentOf(state, from);
  if (spent > 0) changes.push({ type: 'credit.moved', from, to, credits: spent });
  changes.push({ type: 'entitlement.state', id: from, state: 'replaced' });
  return changes;
}

/** An allocation that moves to another entitlement keeps what is pending of it (I8). */
function merged(from: Allocation, heir: Allocation | undefined, entitlement: string): Allocation {
  const quantity = from.quantity + (heir?.quantity ?? 0);
  const seats = (from.revoking?.seats ?? 0) + (heir?.revoking?.seats ?? 0);
  const revoking = heir?.revoking ?? from.revoking;
  const { email } = from;
  return {
    email,
    entitlement,
    quantity,
    ...(revoking === undefined ? {} : { revoking: { ...revoking, seats } }),
  };
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

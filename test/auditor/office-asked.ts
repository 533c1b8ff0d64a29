import { type ActSeen, eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { Change } from './journal-entry.js';
import { Ledger } from './ledger.js';

/** What an admin asked for, as it was sent. */
export type Params = Readonly<Record<string, unknown>>;

type Judge = (params: Params, act: ActSeen, ledger: Ledger) => string | null;

/** What an admin's request led to is what was asked for: so many seats, of that user, in that way. Whatever it changed nothing about is not in the journal. */
export function otherThanAsked({ journal, entries }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const asked = new Map<string, { readonly method: string; readonly params: Params }>();
  for (const { key, method, office } of eventsOf(entries, 'request'))
    if (key !== undefined && office !== undefined) asked.set(key, { method, params: office });
  if (asked.size === 0) return [];
  const findings: Finding[] = [];
  const ledger = new Ledger();
  eachAct(journal.records, (act) => {
    const { method, params } = asked.get(keyOf(act.changes) ?? '') ?? { method: '', params: {} };
    const wrong = judges[method]?.(byAddress(params, ledger), act, ledger) ?? null;
    for (const change of act.changes) if (kept.has(change.type)) ledger.apply(change);
    if (wrong !== null)
      findings.push({
        rule: 'ASKED',
        text: `record ${act.seq}: ${method} ${JSON.stringify(params)} ${wrong}`,
      });
  });
  return findings;
}

/** What the judges look up. */
const kept: ReadonlySet<string> = new Set([
  ...['credit.access', 'credit.asked', 'credit.spent', 'user.put', 'user.removed'],
]);

function keyOf(changes: readonly Change[]): string | undefined {
  const found = changes.find(({ type }) => type === 'request.kept');
  return found === undefined ? undefined : (found.request as { id: string }).id.split(' ').at(-1);
}

const judges: Readonly<Record<string, Judge>> = {
  'allocation.assign': ({ quantity, ...who }, act) => {
    const moved = act.before.after(act.changes);
    const more = moved.reduce((sum, each) => sum + each.more, 0);
    if (more !== quantity) return `sets ${more} seats aside`;
    return othersIn(
      who,
      moved.map(({ row: { email, entitlement } }) => ({ email, product: act.before.productOf(entitlement) })),
    );
  },
  'allocation.revoke': ({ quantity, cancel, ...who }, act) => {
    const moved = act.before.after(act.changes);
    const gone = moved.reduce((sum, each) => sum + each.revokingMore - each.more, 0);
    if (cancel === true ? gone > 0 : gone < 0 || (quantity !== 'all' && gone > Number(quantity)))
      return `takes ${gone} seats back`;
    return othersIn(
      who,
      moved.map(({ row: { email, entitlement } }) => ({ email, product: act.before.productOf(entitlement) })),
    );
  },
  'allocation.move': ({ email, to, quantity }, act) => {
    for (const { row, more } of act.before.after(act.changes)) {
      if (more > 0 && row.email !== to && isAddress(to)) return `gives seats to ${row.email}`;
      if (more < 0 && row.email !== email && isAddress(email)) return `takes seats from ${row.email}`;
    }
    const given = act.before.after(act.changes).reduce((sum, { more }) => sum + Math.max(0, more), 0);
    return quantity === 'all' || given === quantity ? null : `moves ${given} seats`;
  },
  'sharing.set': ({ on, product }, { changes }) => {
    for (const change of changes) {
      const row = change.product as { readonly product: string; readonly sharing: boolean };
      if (change.type !== 'product.put') continue;
      if (product !== undefined && row.product !== product) return `switches ${row.product}`;
      if (row.sharing !== on) return `switches it ${row.sharing ? 'on' : 'off'}`;
    }
    return null;
  },
  'pool.set': ({ key: _, product, ...settings }, { changes }) => {
    for (const change of changes) {
      const row = change.product as { readonly product: string; readonly settings?: Params };
      if (change.type !== 'product.put') continue;
      if (row.product !== product) return `sets ${row.product}`;
      for (const [name, value] of Object.entries(settings))
        if ((row.settings?.[name] ?? null) !== value && name in (row.settings ?? {}))
          return `sets ${name} to ${String(row.settings?.[name])}`;
    }
    return null;
  },
  'lease.revoke': ({ lease, inSeconds }, { changes }) => {
    for (const { type, id } of changes)
      if ((type === 'lease.revoked' || type === 'lease.warned') && id !== lease)
        return `is about ${String(id)}`;
    if (inSeconds !== undefined && changes.some(({ type }) => type === 'lease.revoked'))
      return 'revokes at once';
    return null;
  },
  'lease.keep': ({ lease }, { changes }) =>
    changes.some(({ type, id }) => type === 'lease.kept' && id !== lease) ? 'keeps another' : null,
  'user.remove': ({ email }, { changes }) =>
    changes.some((change) => change.type === 'user.removed' && change.email !== email && isAddress(email))
      ? 'removes another'
      : null,
  'entitlement.remove': ({ id }, { changes }) =>
    changes.some((change) => change.type === 'entitlement.removing' && change.id !== id)
      ? 'removes another'
      : null,
  'credit.limit': ({ access, limit, per, email }, { changes }) => {
    const given = changes.find(({ type }) => type === 'credit.access');
    if (given === undefined) return null;
    if (given.email !== email && isAddress(email)) return `gives it to ${String(given.email)}`;
    return sameGrant(given.grant, { access, limit, per }) ? null : `gives ${JSON.stringify(given.grant)}`;
  },
  'credit.decide': ({ approve, grant }, { changes }, ledger) => {
    const given = changes.find(({ type }) => type === 'credit.access');
    if (given === undefined) return null;
    if (approve !== true) return `gives ${JSON.stringify(given.grant)}`;
    const email = String(given.email);
    const due = grant ?? ledger.credits.afterYes(email);
    return due === null || sameGrant(given.grant, due) ? null : `gives ${JSON.stringify(given.grant)}`;
  },
};

/** With the addresses of users who are called by a login name, with or without its domain. A name that is nobody's stays. */
function byAddress(params: Params, { users }: Ledger): Params {
  const meant: Record<string, unknown> = { ...params };
  for (const field of ['email', 'to']) {
    const text = params[field];
    if (typeof text !== 'string' || isAddress(text)) continue;
    const login = text.split('\\').at(-1)!.trim().toLowerCase();
    const found = [...users.values()].find(({ aliases = [] }) => aliases.includes(login));
    if (found !== undefined) meant[field] = found.email;
  }
  return meant;
}

function isAddress(text: unknown): boolean {
  return typeof text === 'string' && text.includes('@');
}

/** Somebody, or something, that was not named. Of a login name that was nobody's nothing is known. */
function othersIn(
  { email, product }: Params,
  touched: readonly { email: string; product: string | undefined }[],
): string | null {
  const other = touched.find(
    (each) => (isAddress(email) && each.email !== email) || each.product !== product,
  );
  return other === undefined ? null : `is about ${other.product} of ${other.email}`;
}

function sameGrant(a: unknown, b: unknown): boolean {
  const [one, other] = [a as Params, b as Params];
  if (one.access !== other.access) return false;
  return one.access !== 'limited' || (one.limit === other.limit && one.per === other.per);
}

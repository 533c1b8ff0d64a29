import {
  canonicalAlias,
  canonicalEmail,
  canonicalName,
  dayEndMs,
  errors,
  formatMinute,
  isRole,
  limits,
  roleOrder,
} from '@berth/protocol';
import { nearest } from '@berth/protocol/nearest';
import type { BulkCells, BulkJob, BulkKind, BulkTaken, BulkVerdict } from '../bulk.js';
import type { Change } from '../changes.js';
import {
  type By,
  type Command,
  type CommandType,
  type Context,
  type Decision,
  type Denial,
  deny,
  type Outcomes,
  type RequestKey,
} from '../commands.js';
import type { CreditGrant } from '../credit-rows.js';
import type { State, User } from '../state.js';
import { assign } from './allocation.js';
import { setCreditAccess } from './credits.js';
import { userUnknown } from './denial.js';
import { freedOnce } from './linger.js';
import { mailsOf } from './mails.js';
import { allocationsOf, revoke } from './revoke.js';
import { shellWord } from './shell-word.js';
import { invite, removeUser } from './user.js';

type Judged = { readonly verdict: BulkVerdict; readonly changes: readonly Change[] };

/** What one row means and leads to: the same decisions as one by one. */
export function judge(state: State, job: BulkJob, cells: BulkCells, context: Context): Judged {
  const wrong = malformed(cells);
  const result = wrong ?? kinds[job.kind]({ state, job, cells, context });
  if ('is' in result) return { verdict: result, changes: [] };
  if (!result.ok) return { verdict: failed(result), changes: [] };
  const is = result.changes.length === 0 ? 'unchanged' : 'done';
  return { verdict: { is, ...result.taken }, changes: result.changes };
}

interface Row {
  readonly state: State;
  readonly job: BulkJob;
  readonly cells: BulkCells;
  readonly context: Context;
}

type Result =
  | Denial
  | { readonly ok: true; readonly changes: readonly Change[]; readonly taken?: BulkTaken }
  | { readonly is: 'unchanged' };

const kinds: { readonly [K in BulkKind]: (row: Row) => Result } = {
  invite: (row) => {
    const { state, cells, job } = row;
    const email = canonicalEmail(cells.email);
    if (email === null) return deny('EMAIL_INVALID', `"${shown(cells.email)}" is not an e-mail address.`);
    const name = cells.name === undefined ? null : canonicalName(cells.name);
    if (cells.name !== undefined && name === null)
      return deny('NAME_INVALID', `"${shown(cells.name)}" cannot be a name.`);
    const role = cells.role?.toLowerCase() ?? null;
    if (role !== null && !isRole(role))
      return deny('ROLE_INVALID', `"${shown(cells.role!)}" is no role: ${roleOrder.join(', ')}.`);
    // A row means that somebody is a member, with what it says of them. Who is that already keeps the link as well.
    const known = state.tables.user.get(email);
    const other = known === undefined ? [] : otherThan(known, role, name);
    if (known !== undefined && other.length === 0) return { is: 'unchanged' };
    // Whoever grew the table says nothing of what another admin has changed since: that is not undone, nor is the link that was sent.
    if (known !== undefined) return memberAlready(known, other);
    const { invitationMs } = job;
    return carried(
      row,
      { type: 'invite', ...asker(job), email, name, role, device: false, invitationMs },
      invite,
    );
  },
  remove: (row) => {
    const email = member(row);
    // A row means that somebody is no member: whoever was removed before is none.
    if (typeof email !== 'string') return removedBefore(row) ? { is: 'unchanged' } : email;
    const when = row.job.pending ? 'pending' : 'now';
    const result = carried(row, { type: 'removeUser', ...asker(row.job), email, when }, removeUser);
    if (!result.ok || result.outcome.pending === undefined) return result;
    return { ...result, taken: { pendingUntilMs: result.outcome.pending.untilMs } };
  },
  assign: (row) => {
    const { state, cells, job } = row;
    const email = member(row);
    if (typeof email !== 'string') return email;
    const target = targetOf(cells);
    if ('ok' in target) return target;
    const quantity = cells.quantity === undefined ? 1 : countOf(cells.quantity);
    if (quantity === null) return badQuantity(cells.quantity!);
    // A row means "has at least this many with this expiry": what is there already counts.
    const has = allocationsOf(state, { email, ...target }).reduce((sum, each) => sum + each.quantity, 0);
    if (has >= quantity) return { is: 'unchanged' };
    const more = { email, ...target, quantity: quantity - has };
    const result = carried(row, { type: 'assign', ...asker(job), ...more }, assign);
    return result.ok ? result : productMeant(state, target.product, result);
  },
  revoke: (row) => {
    const { state, cells, job } = row;
    const email = member(row);
    if (typeof email !== 'string') return email;
    const { quantity: said = 'all' } = cells;
    const quantity = said.toLowerCase() === 'all' ? 'all' : countOf(said);
    if (quantity === null) return badQuantity(said);
    if (cells.product === undefined) return quantity === 'all' ? revokeAll(row, email) : ofNoProduct(said);
    const target = targetOf(cells);
    if ('ok' in target) return target;
    const when = job.pending ? 'pending' : 'now';
    const less = { email, ...target, quantity, when } as const;
    const result = carried(row, { type: 'revoke', ...asker(job), ...less }, revoke);
    return result.ok
      ? { ...result, taken: takenBy([result.outcome]) }
      : productMeant(state, target.product, result);
  },
  credit: (row) => {
    const email = member(row);
    if (typeof email !== 'string') return email;
    const grant = grantIn(row.cells);
    if ('ok' in grant) return grant;
    const set = { type: 'setCreditAccess', ...asker(row.job), email, grant, was: null } as const;
    return carried(row, set, setCreditAccess);
  },
};

/** Every product that is set aside for somebody, or none of them: what a removal that was refused needs next. */
function revokeAll(row: Row, email: string): Result {
  const { state, job } = row;
  const products = new Set<string>();
  for (const id of state.derived.allocationsByUser.get(email)) {
    const { claims } = state.tables.entitlement.get(state.tables.allocation.get(id)!.entitlement)!;
    if (claims.holder === undefined) products.add(claims.product);
  }
  const changes: Change[] = [];
  const outcomes: Outcomes['revoke'][] = [];
  for (const product of products) {
    const when = job.pending ? 'pending' : 'now';
    const what = { email, product, endMs: null, quantity: 'all', when } as const;
    const result = carried(row, { type: 'revoke', ...asker(job), ...what }, revoke);
    if (!result.ok) return result;
    changes.push(...result.changes);
    outcomes.push(result.outcome);
  }
  return { ok: true, changes: freedOnce(changes), taken: takenBy(outcomes) };
}

function takenBy(outcomes: readonly Outcomes['revoke'][]): BulkTaken {
  const seats = outcomes.reduce((sum, { revoked }) => sum + revoked, 0);
  const pending = outcomes.reduce((sum, each) => sum + (each.pending ?? 0), 0);
  if (pending === 0) return { seats };
  return { seats, pending, pendingUntilMs: Math.max(...outcomes.map((each) => each.pendingUntilMs ?? 0)) };
}

/** What a row asks of somebody that is not so, as options of `berth user set`. */
function otherThan(known: User, role: string | null, name: string | null): string[] {
  return [
    ...(role !== null && role !== known.role ? [`--role ${role}`] : []),
    ...(name !== null && name !== known.name ? ['--name NAME'] : []),
  ];
}

/** Also of whoever is only invited: one invitation alone says what it changes, a table is applied again as it was. */
function memberAlready({ email, role, name, state }: User, other: readonly string[]): Denial {
  const is = `${email} is already ${state === 'active' ? 'a member' : 'invited'}, with the role ${role} and ${name === '' ? 'no name' : `the name "${name}"`}`;
  const set = `berth user set ${shellWord(email)} ${other.join(' ')}`;
  return deny('USER_EXISTS', `${is}: a row changes neither. To change it: ${set}`, { email });
}

/** As if it had been asked for alone, with its mails. */
function carried<T extends CommandType>(
  { state, context }: Row,
  command: Command<T>,
  decide: (state: State, command: Command<T>, context: Context) => Decision<T>,
): Denial | { readonly ok: true; readonly changes: readonly Change[]; readonly outcome: Outcomes[T] } {
  const decision = decide(state, command, context);
  if (!decision.ok) return decision;
  const { changes, outcome } = decision;
  return {
    ok: true,
    outcome,
    changes: [...changes, ...mailsOf(state, command as unknown as Command, changes, context)],
  };
}

/** The admin who asked for the job. A row has no key of its own: that it was decided is in its commit. */
function asker({ by, device }: BulkJob): { by: By; request: RequestKey } {
  return { by: { device, email: by }, request: { device, key: '', hash: '' } };
}

/** What is wrong with a row whatever it is about. */
function malformed(cells: BulkCells): Denial | null {
  const { line, quote } = cells;
  if (quote?.is === 'stray')
    return deny(
      'QUOTE_STRAY',
      `In line ${line}, cell ${quote.cell}, a quote stands within the text: it is written twice, with quotes around the whole cell.`,
    );
  if (quote?.is === 'open')
    return deny(
      'QUOTE_OPEN',
      `The quote that begins line ${line}, cell ${quote.cell}, is not closed; the lines behind it were read by themselves.`,
    );
  if (cells.short === true)
    return deny(
      'ROW_SHORT',
      `Line ${cells.line} ends before the last column: an empty cell still needs its separator.`,
    );
  if (cells.long === true)
    return deny('ROW_LONG', `Line ${cells.line} has more cells than the first line has columns.`);
  if (cells.email === '') return deny('EMAIL_MISSING');
  if (cells.duplicateOf !== undefined)
    return deny('ROW_DUPLICATE', `Line ${cells.duplicateOf} is about the same user.`);
  const formula = [cells.email, cells.name, cells.role, cells.product, cells.expires].find(
    (cell) => cell !== undefined && /^[=+\-@]/.test(cell),
  );
  return formula === undefined
    ? null
    : deny('CELL_FORMULA', `A spreadsheet would run "${shown(formula)}" as a formula.`);
}

function member({ state, cells }: Row): string | Denial {
  const email = canonicalEmail(cells.email);
  const alias = email === null ? canonicalAlias(cells.email) : null;
  const found = email ?? (alias === null ? undefined : state.derived.userByAlias.get(alias));
  if (found === undefined) return deny('EMAIL_INVALID', `"${shown(cells.email)}" is not an e-mail address.`);
  return state.tables.user.has(found) ? found : userUnknown(state, found);
}

function removedBefore({ state, cells }: Row): boolean {
  const email = canonicalEmail(cells.email);
  return email !== null && state.tables.formerUser.has(email);
}

/** Ids of products have small letters alone: capitals in a table leave no doubt. */
function targetOf({ product: said, expires }: BulkCells): { product: string; endMs: number | null } | Denial {
  if (said === undefined)
    return deny(
      'PRODUCT_UNKNOWN',
      'The row names no product: write one into the column product, or name it for all such rows with --products.',
    );
  const product = said.toLowerCase();
  if (expires === undefined) return { product, endMs: null };
  const endMs = dayEndMs(expires);
  return endMs === null
    ? deny('DATE_INVALID', `"${shown(expires)}" is not a day: write it as 2027-05-09.`)
    : { product, endMs };
}

/** The refusal, with the product that was probably meant where there is none of this name. */
function productMeant(state: State, product: string, denial: Denial): Denial {
  const { product: products } = state.tables;
  const near = products.has(product) ? undefined : nearest(product, products.keys(), mostAway);
  if (near === undefined) return denial;
  return { ...denial, message: `${denial.message ?? errors[denial.code].text} Did you mean ${near}?` };
}

/** Of long ids a third would be another product, and costs the turn of fifty rows too much where there are many. */
const mostAway = (product: string): number => Math.max(1, Math.min(4, Math.floor(product.length / 3)));

/** `100`, `unlimited` or `disabled`; an empty period is `total` of a number, and the only one of a word. */
function grantIn({ limit, per: said }: BulkCells): CreditGrant | Denial {
  if (limit === undefined) return deny('CREDIT_LIMIT_INVALID', 'The row says no limit.');
  const per = said ?? 'total';
  const access = limit.toLowerCase();
  if (access === 'unlimited' || access === 'disabled')
    return said === undefined
      ? { access }
      : deny('CREDIT_LIMIT_INVALID', `What is ${access} has no period: leave "${shown(said)}" out.`);
  const period = (['day', 'month', 'year', 'total'] as const).find((each) => each === per.toLowerCase());
  if (period === undefined)
    return deny('CREDIT_LIMIT_INVALID', `"${shown(per)}" is no period: write day, month, year or total.`);
  const most = /^\d{1,16}$/.test(limit) ? Number(limit) : Number.POSITIVE_INFINITY;
  return most <= limits.creditLimit
    ? { access: 'limited', limit: most, per: period }
    : deny('CREDIT_LIMIT_INVALID', `"${shown(limit)}" is no limit of credits.`);
}

function countOf(text: string): number | null {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= limits.seatsPerEntitlement ? value : null;
}

function badQuantity(text: string): Denial {
  return deny(
    'QUANTITY_INVALID',
    `"${shown(text)}" is not a number of seats from 1 to ${limits.seatsPerEntitlement}.`,
  );
}

function ofNoProduct(quantity: string): Denial {
  return deny(
    'QUANTITY_INVALID',
    `The row names no product, so it takes all seats of every product: name the one of which "${shown(quantity)}" is meant, or leave the quantity empty.`,
  );
}

/** What waits for a moment says which, and what to do meanwhile: a row of a report is read later, and by itself. */
function failed({
  code,
  message = errors[code].text,
  next = errors[code].next,
  detail,
}: Denial): BulkVerdict {
  const untilMs = detail?.untilMs;
  const ends = typeof untilMs === 'number' ? ` It ends ${formatMinute(untilMs)}. ${next}` : '';
  return { is: 'failed', code, message: `${message}${ends}` };
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

import type { SpendRow } from './credit-book.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import type { Change } from './journal-entry.js';
import type { Ledger } from './ledger.js';
import type { Accuse, Judge } from './replay-grants.js';
import { readToken } from './token.js';

const CONSUME = 'credit.consume';

/** What a client was told it has spent. */
interface Acknowledged {
  readonly key: string;
  readonly id: string;
  readonly credits: number;
}

/** Credits are spent once for each request, never more than were bought, and what was acknowledged is in the journal (I6, I7). */
export function creditsMisspent(evidence: Evidence): Finding[] {
  const told = acknowledged(evidence.entries);
  const findings = [...sameReceipt(told), ...otherReceipt(evidence), ...beyondBought(evidence, told)];
  const { journal } = evidence;
  if (journal === undefined || journal.fault !== null) return findings;
  const requests = requestsBySpend(journal.records);
  const spends = new Map(
    journal.records.flatMap(({ changes }) => spendsIn(changes).map((spend) => [spend.id, spend] as const)),
  );
  return [...findings, ...lost(told, spends), ...unasked(evidence, spends, requests)];
}

function acknowledged(entries: Evidence['entries']): Acknowledged[] {
  const told = new Map<string, Acknowledged>();
  for (const { method, key, text } of eventsOf(entries, 'result')) {
    if (method !== CONSUME) continue;
    const { id, credits } = JSON.parse(text) as { id: string; credits: number };
    told.set(`${key} ${id}`, { key, id, credits });
  }
  return [...told.values()];
}

/** One key, one receipt, and the other way round. */
function sameReceipt(told: readonly Acknowledged[]): Finding[] {
  const [keys, ids] = [new Set<string>(), new Set<string>()];
  const findings: Finding[] = [];
  for (const { key, id } of told) {
    if (keys.has(key))
      findings.push({ rule: 'CREDIT', text: `the request with key ${key} was told of two receipts` });
    if (ids.has(id)) findings.push({ rule: 'CREDIT', text: `two requests were told of receipt ${id}` });
    keys.add(key);
    ids.add(id);
  }
  return findings;
}

/** A receipt is for what was asked: the same key for another sum is no retry (I7). */
function otherReceipt({ entries }: Evidence): Finding[] {
  return eventsOf(entries, 'result').flatMap(({ method, key, text, credits: asked }): Finding[] => {
    if (method !== CONSUME || asked === undefined) return [];
    const { credits } = JSON.parse(text) as { credits: number };
    const what = `${asked} credits were asked for with key ${key}, the receipt says ${credits}`;
    return credits === asked ? [] : [{ rule: 'I7', text: what }];
  });
}

/** Whatever became of entitlements, no more credits were ever there than the largest revision of each brought. */
function beyondBought({ entries }: Evidence, told: readonly Acknowledged[]): Finding[] {
  const bought = new Map<string, number>();
  for (const { entitlement } of eventsOf(entries, 'imported')) {
    const token = readToken('entitlement', entitlement);
    if (typeof token === 'string') continue;
    const { jti, credits = 0 } = token.claims as { jti: string; credits?: number };
    bought.set(jti, Math.max(credits, bought.get(jti) ?? 0));
  }
  const [spent, most] = [sum(told.map(({ credits }) => credits)), sum(bought.values())];
  return spent <= most
    ? []
    : [{ rule: 'CREDIT', text: `${spent} credits were spent, ${most} were ever bought` }];
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

function spendsIn(changes: readonly Change[]): SpendRow[] {
  return changes.flatMap(({ type, spend }) => (type === 'credit.spent' ? [spend as SpendRow] : []));
}

/** Spend -> the key whose answer names it, in the record that spent it. */
function requestsBySpend(records: readonly { changes: readonly Change[] }[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const { changes } of records) {
    for (const { type, request } of changes) {
      if (type !== 'request.kept') continue;
      const { id, method, outcome } = request as { id: string; method: string; outcome: { id?: string } };
      if (method === 'consumeCredits' && outcome.id !== undefined)
        keys.set(outcome.id, id.split(' ').at(-1)!);
    }
  }
  return keys;
}

/** I6 */
function lost(told: readonly Acknowledged[], spends: ReadonlyMap<string, SpendRow>): Finding[] {
  return told.flatMap(({ id, key, credits }): Finding[] => {
    const spend = spends.get(id);
    if (spend === undefined)
      return [
        { rule: 'I6', text: `${credits} credits were acknowledged to key ${key}, the journal has none` },
      ];
    return spend.credits === credits
      ? []
      : [{ rule: 'CREDIT', text: `key ${key} was told ${credits} credits, ${spend.credits} were spent` }];
  });
}

/** Every spend has a request of its own, and is what that asked for. */
function unasked(
  { entries }: Evidence,
  spends: ReadonlyMap<string, SpendRow>,
  requests: ReadonlyMap<string, string>,
): Finding[] {
  const asked = new Map<string, Set<number | undefined>>();
  for (const { method, key, credits } of eventsOf(entries, 'request'))
    if (method === CONSUME && key !== undefined) asked.set(key, (asked.get(key) ?? new Set()).add(credits));
  const served = new Set<string>();
  return [...spends.values()].flatMap(({ id, credits, email }): Finding[] => {
    const key = requests.get(id);
    const text = `${credits} credits of ${email} were spent (${id})`;
    if (key === undefined) return [{ rule: 'CREDIT', text: `${text} without a request that is kept` }];
    const sums = asked.get(key);
    if (sums === undefined) return [{ rule: 'CREDIT', text: `${text}, nobody asked with key ${key}` }];
    if (served.has(key)) return [{ rule: 'CREDIT', text: `${text} once more for key ${key}` }];
    served.add(key);
    return sums.has(credits)
      ? []
      : [{ rule: 'CREDIT', text: `${text}, key ${key} asked for ${[...sums].join(' or ')}` }];
  });
}

/** What one spend may be charged to, by what there is just before it. */
export const creditRules: Readonly<Record<string, Judge>> = {
  'credit.spent': (ledger, change, accuse) => {
    const spend = change.spend as SpendRow;
    const { id, email, credits, charges } = spend;
    if (ledger.credits.has(id)) accuse('CREDIT', `${id} is spent twice`);
    if (ledger.restore.isCareful)
      accuse('I9', `${id} is spent while nobody knows what was spent before the restore`);
    const beyond = ledger.credits.beyond(spend);
    if (beyond !== null) accuse('CREDIT', `${credits} credits are spent by ${email}, ${beyond}`);
    if (ledger.devices.get(spend.device)?.email !== email)
      accuse('CREDIT', `${id} is spent by a device that is not of ${email}`);
    const charged = sum(charges.map((each) => each.credits));
    if (charged !== credits) accuse('CREDIT', `${id} is ${credits} credits, ${charged} are charged`);
    for (const charge of charges) wronglyCharged(ledger, spend, charge, accuse);
  },
  'credit.moved': (ledger, { from, to, credits }, accuse) => {
    if (ledger.credits.spentOf(String(from)) !== credits)
      accuse('CREDIT', `${String(credits)} spent credits go from ${String(from)} to ${String(to)}, not all`);
  },
};

function wronglyCharged(
  ledger: Ledger,
  { id, email, product }: SpendRow,
  charge: SpendRow['charges'][number],
  accuse: Accuse,
): void {
  const row = ledger.entitlements.get(charge.entitlement);
  const what = `${id} is charged to ${charge.entitlement}`;
  if (row === undefined || (row.state !== 'active' && row.state !== 'future')) {
    accuse('CREDIT', `${what}, which grants nothing`);
    return;
  }
  if (row.removing !== undefined) accuse('I8', `${what}, whose removal is pending`);
  const { claims } = row;
  if (claims.holder !== undefined && claims.holder !== email)
    accuse('CREDIT', `${what}, which is ${claims.holder}'s`);
  if (ledger.products.get(claims.product)?.vendor !== ledger.products.get(product)?.vendor)
    accuse('CREDIT', `${what}, which is of another vendor than ${product}`);
  const spent = ledger.credits.spentOf(charge.entitlement) + charge.credits;
  if (spent > (claims.credits ?? 0))
    accuse('CREDIT', `${what}, which then has spent ${spent} of ${claims.credits ?? 0}`);
}

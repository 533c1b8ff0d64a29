import { durableBy } from './early-endings.js';
import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
import { onlineWindowMs, RHO } from './rights.js';
import { readToken } from './token.js';

/** I7: the same key always got the same result, byte for byte, over restarts too, and no key is behind two grants. */
export function notOnce(evidence: Evidence): Finding[] {
  const results = evidence.isThorough === true ? resultsDiffer(evidence) : [];
  return [...answersDiffer(evidence), ...results, ...grantedTwice(evidence)];
}

/** Results that the journal kept: what changed nothing is answered anew each time, and speaks of the moment. */
function resultsDiffer({ entries, journal }: Evidence): Finding[] {
  const kept = new Set<string>();
  for (const { changes } of journal?.records ?? [])
    for (const { type, request } of changes)
      if (type === 'request.kept') kept.add((request as { id: string }).id.split(' ').at(-1)!);
  const first = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { key, method, text } of eventsOf(entries, 'result')) {
    const before = first.get(key) ?? text;
    first.set(key, before);
    if (before !== text && kept.has(key))
      findings.push({
        rule: 'I7',
        text: `${method} with key ${key} got two different results: ${before} and ${text}`,
      });
  }
  return findings;
}

/**
 * A server keeps a key until the end of its lease and W: whoever asks with it later has asked anew, as the next start does for a process that
 * died before it wrote down what it got.
 */
function answersDiffer({ entries, clocksDrift }: Evidence): Finding[] {
  const sentAt = new Map<string, number>();
  for (const { key, t } of eventsOf(entries, 'request'))
    if (key !== undefined && !sentAt.has(key)) sentAt.set(key, t);
  const first = new Map<string, { readonly tokens: string; readonly keptUntilT: number }>();
  const findings: Finding[] = [];
  for (const { key, t, leases } of eventsOf(entries, 'answer')) {
    if (key === undefined) continue;
    const tokens = leases.join(' ');
    const before = first.get(key);
    if (before === undefined || (before.tokens !== tokens && t >= before.keptUntilT)) {
      const from = before === undefined ? (sentAt.get(key) ?? t) : t;
      first.set(key, { tokens, keptUntilT: from + keptMs(leases, clocksDrift === true) });
    } else if (before.tokens !== tokens)
      findings.push({ rule: 'I7', text: `key ${key} got two different answers` });
  }
  return findings;
}

/** How long a key is known at least: its lease may end at once, and then W goes by. */
function keptMs(leases: readonly string[], clocksDrift: boolean): number {
  const windows = leases.map((text) => {
    const token = readToken('lease', text);
    return typeof token === 'string' ? 0 : onlineWindowMs(token.claims.dur * 1000);
  });
  return Math.min(...windows) * (clocksDrift ? 1 - RHO : 1);
}

/** Of the requests with one nonce: its key, the leases it got, and until when at least the server knew the key. */
interface Served {
  readonly key: string;
  readonly ids: Set<string>;
  readonly keptUntilT: number;
}

/**
 * The nonce of a grant stays with its key: two grants with one nonce are one request that was served twice. It is not when the journal let go of
 * the key in between and somebody asked with it so late that this was right: then the answer may have been lost as any answer may, that of the first grant or of the
 * second. A request can be long on its way, so what says that it came too early is somebody who saw the grant, or a later record.
 */
function grantedTwice(evidence: Evidence): Finding[] {
  const { journal } = evidence;
  if (journal === undefined) return [];
  const seenBy = durableBy(evidence);
  const { grants, droppedAt } = grantsIn(journal);
  const findings: Finding[] = [];
  for (const [nonce, { key, ids, keptUntilT }] of servedByNonce(evidence)) {
    const found = (jti: string): void => {
      findings.push({ rule: 'I7', text: `the request with nonce ${nonce} also led to lease ${jti}` });
    };
    (grants.get(nonce) ?? []).forEach(({ seq, leases }, at, all) => {
      const seen = leases.filter((jti) => ids.has(jti));
      if (seen.length > 0 && seen.length < leases.length) found(leases.find((jti) => !ids.has(jti))!);
      if (at === 0) return;
      const isNew =
        droppedAt.get(key)?.some((dropped) => dropped > all[at - 1]!.seq && dropped <= seq) === true;
      const cameBy = seenBy(seq)?.t ?? Number.POSITIVE_INFINITY;
      if (!isNew || cameBy < keptUntilT) found(leases[0]!);
    });
  }
  return findings;
}

/** By nonce: the records that grant with it, in their order. By key: those that let go of it. */
function grantsIn({ records }: NonNullable<Evidence['journal']>): {
  readonly grants: ReadonlyMap<string, readonly { readonly seq: number; readonly leases: string[] }[]>;
  readonly droppedAt: ReadonlyMap<string, readonly number[]>;
} {
  const grants = new Map<string, { readonly seq: number; readonly leases: string[] }[]>();
  const droppedAt = new Map<string, number[]>();
  for (const { seq, changes } of records)
    for (const change of changes)
      if (change.type === 'request.dropped') {
        const key = String(change.id).split(' ').at(-1)!;
        droppedAt.set(key, [...(droppedAt.get(key) ?? []), seq]);
      } else if (change.type === 'lease.granted') {
        const { jti, nonce } = (change.lease as { claims: { jti: string; nonce: string } }).claims;
        const before = grants.get(nonce) ?? [];
        grants.set(nonce, before);
        if (before.at(-1)?.seq === seq) before.at(-1)!.leases.push(jti);
        else before.push({ seq, leases: [jti] });
      }
  return { grants, droppedAt };
}

function servedByNonce({ leases, clocksDrift }: Evidence): Map<string, Served> {
  const served = new Map<string, Served>();
  for (const { answer, token, sentAt } of leases) {
    const { key } = answer;
    if (key === undefined) continue;
    const { nonce } = token.claims;
    const keptUntilT = (sentAt ?? answer.t) + keptMs(answer.leases, clocksDrift === true);
    const first = served.get(nonce) ?? { key, ids: new Set(), keptUntilT };
    for (const text of answer.leases) first.ids.add(idOf(text));
    served.set(nonce, first);
  }
  return served;
}

function idOf(text: string): string {
  const token = readToken('lease', text);
  return typeof token === 'string' ? '' : token.claims.jti;
}

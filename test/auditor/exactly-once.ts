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

/** The nonce of a grant stays with its key: two grants with one nonce are one request that was served twice. */
function grantedTwice({ leases, journal }: Evidence): Finding[] {
  if (journal === undefined) return [];
  const answered = new Map<string, Set<string>>();
  for (const { answer, token } of leases) {
    if (answer.key === undefined) continue;
    const ids = answered.get(token.claims.nonce) ?? new Set();
    for (const text of answer.leases) ids.add(idOf(text));
    answered.set(token.claims.nonce, ids);
  }
  const findings: Finding[] = [];
  for (const { changes } of journal.records) {
    for (const change of changes) {
      if (change.type !== 'lease.granted') continue;
      const { jti, nonce } = (change.lease as { claims: { jti: string; nonce: string } }).claims;
      if (answered.has(nonce) && !answered.get(nonce)!.has(jti))
        findings.push({ rule: 'I7', text: `the request with nonce ${nonce} also led to lease ${jti}` });
    }
  }
  return findings;
}

function idOf(text: string): string {
  const token = readToken('lease', text);
  return typeof token === 'string' ? '' : token.claims.jti;
}

import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';
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

function answersDiffer({ entries }: Evidence): Finding[] {
  const first = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { key, leases } of eventsOf(entries, 'answer')) {
    if (key === undefined) continue;
    const tokens = leases.join(' ');
    const before = first.get(key);
    if (before === undefined) first.set(key, tokens);
    else if (before !== tokens) findings.push({ rule: 'I7', text: `key ${key} got two different answers` });
  }
  return findings;
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

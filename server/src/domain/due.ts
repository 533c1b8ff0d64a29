import { jobGoneAtMs } from './bulk.js';
import { isLive } from './derive.js';
import { nextNoticeMs } from './end-notices.js';
import { borrowEndsMs } from './evolve.js';
import type { Due, ExpiryQueue } from './expiry-queue.js';
import { mailGoneAtMs } from './mail.js';
import type { Now, State } from './state.js';

/** Endings handled at once: after a long pause the loop must not be blocked by a hundred thousand of them. */
const BATCH = 1000;

/**
 * Takes what is over from the queues. They are lazy: an entry whose lease was renewed meanwhile is queued again for its new
 * end, one whose subject is gone is dropped. Whatever is returned is certain, and is to be ended at once by one `expire`
 * command for each of the lists, in their order; what does not fit in one batch counts as not over yet, which is always safe.
 */
export function takeDue(state: State, now: Now): Due[][] {
  const found = new Map<string, Due>();
  drain(state.monoQueue, now.monoMs, state, now, found);
  drain(state.wallQueue, now.steadyWallMs, state, now, found);
  const all = [...found.values()];
  // What ends on an entitlement ends before it does: its end is decided on a state that has no such seats any more.
  const isEntitlement = ({ kind }: Due): boolean =>
    kind === 'entitlement-end' || kind === 'entitlement-start' || kind === 'entitlement-notice';
  return [all.filter((due) => !isEntitlement(due)), all.filter(isEntitlement)].filter(
    ({ length }) => length > 0,
  );
}

/** True when `takeDue` may find something. */
export function mayBeDue(state: State, now: Now): boolean {
  return state.monoQueue.nextMs <= now.monoMs || state.wallQueue.nextMs <= now.steadyWallMs;
}

function drain(queue: ExpiryQueue, nowMs: number, state: State, now: Now, found: Map<string, Due>): void {
  while (found.size < BATCH) {
    const due = queue.takeDue(nowMs);
    if (due === undefined) return;
    const endsMs = ends[due.kind](state, due.id, now);
    if (endsMs === null) continue;
    // A new revision of an entitlement queues its end once more: one ending is enough.
    if (endsMs <= nowMs) found.set(`${due.kind} ${due.id}`, due);
    else queue.push({ ...due, atMs: endsMs });
  }
}

/** When the subject of an entry really ends, on the clock of its queue; `null` when there is nothing to end. */
const ends: { readonly [K in Due['kind']]: (state: State, id: string, now: Now) => number | null } = {
  lease: (state, id) => {
    const lease = state.tables.lease.get(id);
    if (lease === undefined) return null;
    return lease.claims.kind === 'borrow' ? borrowEndsMs(lease) : state.windowEndsMs.get(id)!;
  },
  'lease-release': (state, id) => state.tables.lease.get(id)?.release?.atMs ?? null,
  linger: (state, id) => state.lingerEndsMs.get(id) ?? null,
  request: (state, id, { monoMs }) => (state.tables.request.has(id) ? monoMs : null),
  'entitlement-start': (state, id) => {
    const entitlement = state.tables.entitlement.get(id);
    return entitlement?.state === 'future' ? entitlement.claims.nbf * 1000 : null;
  },
  'entitlement-notice': (state, id) => {
    const entitlement = state.tables.entitlement.get(id);
    return entitlement === undefined ? null : nextNoticeMs(entitlement);
  },
  mail: (state, id) => {
    const mail = state.tables.mail.get(id);
    return mail === undefined ? null : mailGoneAtMs(mail);
  },
  job: (state, id) => {
    const job = state.tables.job.get(id);
    return job?.endedAtMs === undefined ? null : jobGoneAtMs(job);
  },
  'restore-window': (state, _id) => state.restoreEndsMs.get('self') ?? null,
  reserve: (state, id) => state.tables.reserve.get(id)?.untilMs ?? null,
  'entitlement-end': (state, id) => {
    const entitlement = state.tables.entitlement.get(id);
    return entitlement !== undefined && isLive(entitlement) ? entitlement.claims.exp * 1000 : null;
  },
};

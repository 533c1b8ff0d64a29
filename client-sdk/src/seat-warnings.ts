import type { LeaseWarning } from '@berth/protocol';
import type { WarningNotice } from './api.js';

interface Known {
  readonly warning: LeaseWarning;
  readonly notice: WarningNotice;
}

/** What the server has said about the end of each lease of a seat. The seat ends with the first of them. */
export class SeatWarnings {
  readonly #byLease = new Map<string, Known>();

  get first(): WarningNotice | null {
    return this.#first?.notice ?? null;
  }

  /** @returns what the plugin is to be told: the same warning again, as every renewal brings it, is nothing new */
  put(lease: string, warning: LeaseWarning | null, wallMs: number): WarningNotice | null {
    const before = this.#first;
    if (warning === null) this.#byLease.delete(lease);
    else if (!same(this.#byLease.get(lease)?.warning, warning)) {
      this.#byLease.set(lease, { warning, notice: noticeOf(warning, wallMs) });
    }
    const after = this.#first;
    if (after === null) return before === null ? null : { ...before.notice, endsAtMs: null };
    return same(before?.warning, after.warning) ? null : after.notice;
  }

  get #first(): Known | null {
    const all = [...this.#byLease.values()];
    return all.sort((a, b) => a.warning.atMs - b.warning.atMs)[0] ?? null;
  }
}

/** All but `inMs`, which every renewal counts anew. */
function same(a: LeaseWarning | undefined, b: LeaseWarning): boolean {
  return a?.code === b.code && a.atMs === b.atMs && a.reason === b.reason && a.by === b.by;
}

function noticeOf({ code, inMs, reason, by }: LeaseWarning, wallMs: number): WarningNotice {
  return { code, message: reason, by, endsAtMs: Math.round(wallMs + inMs) };
}

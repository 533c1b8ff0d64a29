import { END_NOTICE_DAYS, endNoticeOf } from '@berth/protocol';
import type { Entitlement } from './state.js';

const dayMs = 86_400_000;

/** When the next warning of its end is due, by the wall clock; `null`: none is to come. */
export function nextNoticeMs({ claims, state, warned }: Entitlement): number | null {
  if (state !== 'active') return null;
  const next = END_NOTICE_DAYS.find((days) => warned === undefined || days < warned);
  return next === undefined ? null : claims.exp * 1000 - next * dayMs;
}

/** The last warning that is due at a moment; `null`: none yet. */
export function noticeAt({ exp }: Pick<Entitlement['claims'], 'exp'>, atMs: number): number | null {
  return endNoticeOf(Math.ceil((exp * 1000 - atMs) / dayMs));
}

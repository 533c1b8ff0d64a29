/** So many days before a subscription ends its admins are warned, each once. */
export const END_NOTICE_DAYS = [60, 30, 7, 1] as const;

/** The last of these warnings that is due with so many days left; `null`: none yet. */
export function endNoticeOf(daysLeft: number): number | null {
  return END_NOTICE_DAYS.findLast((days) => daysLeft <= days) ?? null;
}

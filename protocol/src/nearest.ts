/** The candidate that is next to what was typed. @param most letters it may be away: a third of its own when left out */
export function nearest(
  word: string,
  candidates: readonly string[],
  most = (candidate: string): number => Math.max(1, Math.floor(candidate.length / 3)),
): string | undefined {
  const rated = candidates
    .map((candidate) => ({ candidate, away: distance(word, candidate) }))
    .filter(({ candidate, away }) => away <= most(candidate))
    .sort((a, b) => a.away - b.away);
  return rated[0]?.candidate;
}

/** Letters to change, add, leave out or swap with their neighbour. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : change;
      next.push(Math.min(change, swap, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

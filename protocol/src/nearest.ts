/** The candidate that is next to what was typed, the first of several. @param most letters it may be away: a third of its own when left out */
export function nearest(
  word: string,
  candidates: Iterable<string>,
  most = (candidate: string): number => Math.max(1, Math.floor(candidate.length / 3)),
): string | undefined {
  let found: string | undefined;
  let foundAway = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const limit = Math.min(most(candidate), foundAway - 1);
    const away = distance(word, candidate, limit);
    if (away <= limit) [found, foundAway] = [candidate, away];
  }
  return found;
}

/**
 * Letters to change, add, leave out or swap with their neighbour.
 * @param most what is farther apart is Infinity, which is known sooner: words may be long, and the server asks this of many in one turn
 */
export function distance(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  const far = Number.POSITIVE_INFINITY;
  if (Math.abs(a.length - b.length) > most) return far;
  let row: number[] = [];
  for (let at = 0; at <= b.length; at++) row.push(at);
  let before = row.slice();
  let next = row.slice();
  for (let i = 1; i <= a.length; i++) {
    // A cell farther than `most` from the diagonal is more than that.
    const first = Math.max(1, i - most);
    const last = Math.min(b.length, i + most);
    next[first - 1] = first === 1 ? i : far;
    let least = next[first - 1]!;
    for (let j = first; j <= last; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before[j - 2]! + 1 : change;
      next[j] = Math.min(change, swap, row[j]! + 1, next[j - 1]! + 1);
      least = Math.min(least, next[j]!);
    }
    if (least > most) return far;
    if (last < b.length) next[last + 1] = far;
    [before, row, next] = [row, next, before];
  }
  return row[b.length]! > most ? far : row[b.length]!;
}

/** A row of a stored state is lost, or changed where it lies. @returns whether anything is other than it was */
export function rot(rows: Map<string, string>, below: (bound: number) => number): boolean {
  const keys = [...rows.keys()];
  const key = keys[below(Math.max(1, keys.length))];
  if (key === undefined) return false;
  const value = rows.get(key)!;
  if (below(2) === 0) rows.delete(key);
  else
    rows.set(
      key,
      value.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)),
    );
  return rows.get(key) !== value;
}

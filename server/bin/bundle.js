import { statSync } from 'node:fs';

/** `berthd` in one file, but for what few starts need, as `npm run build` leaves it. */
export const bundleFile = new URL('../dist/berthd.mjs', import.meta.url);

/** What `tsc -b` writes whenever it compiles something that is in the bundle. */
const compiled = ['../tsconfig', '../dist/domain/tsconfig', '../../protocol/tsconfig'];

/** False when there is no bundle, or when something was compiled since. */
export function isFresh() {
  const madeMs = changedMs(bundleFile);
  return (
    madeMs > 0 &&
    compiled.every((name) => changedMs(new URL(`${name}.tsbuildinfo`, import.meta.url)) <= madeMs)
  );
}

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

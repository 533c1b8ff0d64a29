import { statSync } from 'node:fs';

/** The whole of `berth` in one file, as `npm run build` leaves it. */
export const bundleFile = new URL('../dist/berth.mjs', import.meta.url);

/** What `tsc -b` writes whenever it compiles something that is in the bundle. */
const compiled = ['..', '../../client-sdk', '../../protocol'];

/** False when there is no bundle, or when something was compiled since. */
export function isFresh() {
  const madeMs = changedMs(bundleFile);
  return (
    madeMs > 0 &&
    compiled.every(
      (folder) => changedMs(new URL(`${folder}/tsconfig.tsbuildinfo`, import.meta.url)) <= madeMs,
    )
  );
}

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

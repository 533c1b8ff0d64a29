import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** The whole of `berth` in one file, as `npm run build` leaves it. */
export const bundleFile = fileURLToPath(new URL('../dist/berth.cjs', import.meta.url));
/** What the engine of the Node that built it made of that file: what compiles nothing starts sooner (decision 0019). */
export const compiledFile = `${bundleFile}.v8`;

/** What `tsc -b` writes whenever it compiles something that is in the bundle. */
const sources = ['..', '../../client-sdk', '../../protocol'];

/** False when there is no bundle, or when something was compiled since. */
export function isFresh() {
  const madeMs = changedMs(bundleFile);
  return (
    madeMs > 0 &&
    sources.every((folder) => changedMs(new URL(`${folder}/tsconfig.tsbuildinfo`, import.meta.url)) <= madeMs)
  );
}

/** Runs the bundle, once. @returns what it exports, and its script */
export function load() {
  const code = `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundleFile, 'latin1')}\n})`;
  const script = new Script(code, { filename: bundleFile, cachedData: compiled() });
  const module = { exports: {} };
  const run = script.runInThisContext();
  run(module.exports, createRequire(bundleFile), module, bundleFile, dirname(bundleFile));
  return { exports: module.exports, script };
}

/** Never of an older bundle. Of another version of Node it is no use: then V8 compiles, as it always did. */
function compiled() {
  const madeMs = changedMs(compiledFile);
  return madeMs > 0 && madeMs >= changedMs(bundleFile) ? readFileSync(compiledFile) : undefined;
}

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

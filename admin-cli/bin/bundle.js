import { createHash } from 'node:crypto';
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

/** Runs the bundle, once. @returns what it exports, its script, and what its content is known by */
export function load() {
  const bundle = readFileSync(bundleFile);
  const id = createHash('sha256').update(bundle).digest();
  const code = `(function (exports, require, module, __filename, __dirname) {${bundle.latin1Slice()}\n})`;
  const script = new Script(code, { filename: bundleFile, cachedData: compiledOf(id) });
  const module = { exports: {} };
  const run = script.runInThisContext();
  run(module.exports, createRequire(bundleFile), module, bundleFile, dirname(bundleFile));
  return { exports: module.exports, script, id };
}

/**
 * Behind the id of the bundle that it was made of, and never for another one: V8 itself compares no more than the length. Of another version
 * of Node it is no use: then V8 compiles, as it always did.
 */
function compiledOf(id) {
  if (changedMs(compiledFile) === 0) return undefined;
  const kept = readFileSync(compiledFile);
  return kept.subarray(0, id.length).equals(id) ? kept.subarray(id.length) : undefined;
}

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** `berthd` in one file, but for what few starts need, as `npm run build` leaves it. */
export const bundleFile = fileURLToPath(new URL('../dist/berthd.cjs', import.meta.url));
/** What the engine of the Node that built it made of that file: what compiles nothing starts sooner (decision 0019). */
export const compiledFile = `${bundleFile}.v8`;

/** What `tsc -b` writes whenever it compiles something that is in the bundle. */
const sources = ['../tsconfig', '../dist/domain/tsconfig', '../../protocol/tsconfig'];

/** False when there is no bundle, or when something was compiled since. */
export function isFresh() {
  const madeMs = changedMs(bundleFile);
  return (
    madeMs > 0 &&
    sources.every((name) => changedMs(new URL(`${name}.tsbuildinfo`, import.meta.url)) <= madeMs)
  );
}

/** Runs the bundle, once. @returns what it exports, its script, and what is to stand in front of what V8 made of it */
export function load() {
  const bundle = readFileSync(bundleFile);
  const seal = (kept) =>
    createHash('sha256').update(`${process.version} ${process.arch} `).update(bundle).update(kept).digest();
  const code = `(function (exports, require, module, __filename, __dirname) {${bundle.latin1Slice()}\n})`;
  const script = new Script(code, { filename: bundleFile, cachedData: compiledOf(seal) });
  const module = { exports: {} };
  const run = script.runInThisContext();
  run(module.exports, createRequire(bundleFile), module, bundleFile, dirname(bundleFile));
  return { exports: module.exports, script, seal };
}

const SEAL_BYTES = 32;

/**
 * Only what this very Node made of this very bundle, byte for byte: V8 looks at a version and a length, and dies of another patch of Node or
 * of a page that a power cut left empty. Without it V8 compiles.
 */
function compiledOf(seal) {
  let file;
  try {
    file = readFileSync(compiledFile);
  } catch {
    return undefined;
  }
  const kept = file.subarray(SEAL_BYTES);
  return seal(kept).equals(file.subarray(0, SEAL_BYTES)) ? kept : undefined;
}

function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Puts `berth` into one file, dist/berth.cjs, and beside it what V8 compiles it to: it starts on a quarter of the CPU that its 300 files
// take (decision 0019). Part of `npm run build`. bin/berth.js uses it only while nothing that was compiled is newer. `ws` stays
// outside: the tests listen there.
import { fileURLToPath } from 'node:url';
import { putIntoOneFile } from '../../protocol/scripts/one-file.js';
import { isFresh } from '../bin/bundle.js';

if (!isFresh()) {
  const [input, bundle] = ['../dist/main.js', '../bin/bundle.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  await putIntoOneFile({ input, bundle, external: ['ws'] });
}

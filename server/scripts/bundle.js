// Puts `berthd` into one file, dist/berthd.cjs, and beside it what V8 compiles it to (decisions 0012 and 0019). Part of `npm run build`;
// bin/berthd.js uses it only while nothing that was compiled is newer. What is imported late (what makes certificates) goes into files
// of its own beside it. `level` stays outside: it looks for its native part beside itself.
import { fileURLToPath } from 'node:url';
import { putIntoOneFile } from '../../protocol/scripts/one-file.js';
import { isFresh } from '../bin/bundle.js';

if (!isFresh()) {
  const [input, bundle] = ['../dist/main.js', '../bin/bundle.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  await putIntoOneFile({ input, bundle, external: ['level'] });
}

// Puts `berth` into one file, dist/berth.mjs: it starts on a third of the CPU that its 300 files take (decision 0009). Part of
// `npm run build`. bin/berth.js uses it only while nothing that was compiled is newer. `ws` stays outside: the tests listen there.
import { renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bundleFile, isFresh } from '../bin/bundle.js';

if (!isFresh()) {
  const input = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const file = fileURLToPath(bundleFile);
  const bundle = await rolldown({ input, platform: 'node', external: ['ws'] });
  await bundle.write({ file: `${file}.new`, format: 'esm' });
  await bundle.close();
  renameSync(`${file}.new`, file);
}

// Puts `berthd` into one file, dist/berthd.mjs (decision 0012). Part of `npm run build`; bin/berthd.js uses it only while nothing that
// was compiled is newer. What is imported late (what makes certificates) goes into files of its own beside it. `level` stays outside: it
// looks for its native part beside itself. Nothing is renamed or squeezed, so that a stack trace still says what it said.
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { bundleFile, isFresh } from '../bin/bundle.js';

if (!isFresh()) {
  const input = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const bundle = await rolldown({ input: { berthd: input }, platform: 'node', external: ['level'] });
  const names = { entryFileNames: '[name].mjs', chunkFileNames: 'berthd-[name].mjs' };
  const { output } = await bundle.generate({ format: 'esm', ...names });
  await bundle.close();
  // The first one is the entry: it comes last, when all that it may load is there.
  for (const { fileName, code } of output.toReversed()) {
    const file = fileURLToPath(new URL(fileName, bundleFile));
    writeFileSync(`${file}.new`, code);
    renameSync(`${file}.new`, file);
  }
}

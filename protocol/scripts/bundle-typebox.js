// Puts TypeBox into protocol/dist/typebox.js: one file to load instead of about 700. Part of `npm run build`; what `tsc -b` alone
// leaves works as well, only slower. Done once: the compiler writes that file again only when its source changes.
import { readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const file = fileURLToPath(new URL('../dist/typebox.js', import.meta.url));
if (/from 'typebox/.test(readFileSync(file, 'utf8'))) {
  const bundle = await rolldown({ input: file, platform: 'neutral' });
  await bundle.write({ file: `${file}.new`, format: 'esm' });
  await bundle.close();
  renameSync(`${file}.new`, file);
}

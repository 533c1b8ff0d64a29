import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from '../system/paths.js';

const compiled = join(root, 'test/dist/torture');
const bundles = join(compiled, 'bundled');

/** A deliberate fault: this text of the compiled server is replaced, once, and must be there once. */
export interface Planted {
  readonly find: string;
  readonly put: string;
}

/** One file of a program and all it imports: it starts on a third of the CPU, and it starts some thousand times. @returns the file; whoever plants removes it */
export async function bundled(name: 'doomed-berthd' | 'crowd', planted?: Planted): Promise<string> {
  await mkdir(join(bundles, 'dist'), { recursive: true });
  // The server reads its version from the package beside its folder; by its name, imports would be looked for there.
  const { version } = JSON.parse(await readFile(join(root, 'server/package.json'), 'utf8')) as {
    version: string;
  };
  await writeFile(join(bundles, 'package.json'), JSON.stringify({ version, type: 'module' }));
  const file = join(bundles, 'dist', `${name}${planted === undefined ? '' : `-planted-${process.pid}`}.mjs`);
  let places = 0;
  const plugin = {
    name: 'plant',
    transform(code: string): string | null {
      if (planted === undefined || !code.includes(planted.find)) return null;
      places += code.split(planted.find).length - 1;
      return code.replace(planted.find, planted.put);
    },
  };
  const input = join(compiled, `${name}.js`);
  const bundle = await rolldown({ input, platform: 'node', external: ['level'], plugins: [plugin] });
  // One file, whatever is imported late.
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  if (planted !== undefined && places !== 1)
    throw new Error(`${planted.find} is there ${places} times, not once`);
  return file;
}

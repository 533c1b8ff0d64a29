import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The root of the repository; the tests run from source, what they start is compiled and one folder deeper. */
export const root = rootAbove(dirname(fileURLToPath(import.meta.url)));

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootAbove(dirname(folder));
}

export const bins = {
  berthd: join(root, 'server/bin/berthd.js'),
  berth: join(root, 'admin-cli/bin/berth.js'),
};

const compiled = join(root, 'test/dist/system');

export const pluginFile = join(compiled, 'plugin.js');
export const relayFile = join(compiled, 'relay.js');

/** For `node --import`. */
export const preloads = {
  tap: pathToFileURL(join(compiled, 'tap.js')).href,
  skew: pathToFileURL(join(compiled, 'skew.js')).href,
};

import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The root of the repository; the tests run from source, what they start is compiled. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

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

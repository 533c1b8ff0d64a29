import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '@berth/protocol';
import { openDataFolder } from '../data-folder.js';
import { foundServer } from '../found.js';
import { type Config, resolveConfig } from '../ops/config.js';
import { createLog } from '../ops/log.js';
import { Server } from '../server.js';
import { StartError } from '../start-error.js';
import { DEV_OWNER, DEV_PRODUCTS, type DevSite, furnish } from './dev-site.js';
import { print } from './print.js';
import { die, untilStopped } from './running.js';

/**
 * `berthd serve --dev`: a whole server for a plugin developer, with sample products and a device that has joined, in a folder that goes
 * with the process. It is the real server: what runs against it runs against any.
 */
export async function serveDev(flags: Readonly<Record<string, unknown>>): Promise<void> {
  for (const name of ['data', 'config'])
    if (flags[name] !== undefined)
      throw new StartError(
        'USAGE',
        `--dev keeps nothing, so it takes no --${name}.`,
        `Leave out --${name} or --dev.`,
        2,
      );
  const config = devConfig(flags);
  const folder = makeFolder();
  // Whatever ends the process: the keys in it are worth nothing, but nobody wants them lying around.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  const log = createLog({ level: config.logLevel });
  const { invitation } = await foundServer(data, { name: 'Dev', owner: DEV_OWNER }, config, {});
  const server = await Server.start({
    folder: await openDataFolder(data),
    config,
    log,
    onFatal: (error) => die(error, log),
  });
  process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM'));
  const site = await furnish({ server, data, home: join(folder, 'home'), invitation });
  try {
    print(welcome(site, folder));
  } catch (error) {
    await server.stop(0);
    throw error;
  }
  await untilStopped(server, log);
}

/** Loopback only, any free port, and quiet: the developer's terminal shows what to paste. */
function devConfig(flags: Readonly<Record<string, unknown>>): Config {
  const defaults = { listen: '127.0.0.1:0', 'log-level': 'warn' };
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const resolved = resolveConfig({ flags: { ...defaults, ...given }, env: process.env });
  if (!resolved.ok) {
    const { message, next } = resolved.errors[0]!;
    throw new StartError('CONFIG_INVALID', message, next, 2);
  }
  for (const address of [resolved.config.listen, resolved.config.adminListen]) {
    if (address === undefined || ['127.0.0.1', '::1', 'localhost'].includes(address.host)) continue;
    throw new StartError(
      'CONFIG_INVALID',
      `--dev listens on this computer only, not on ${formatAddress(address)}.`,
      'Use 127.0.0.1:PORT. For others to reach it, make a server that lasts: berthd init, berthd serve.',
      2,
    );
  }
  return resolved.config;
}

const PREFIX = 'berthd-dev-';

/** In memory where the system has a file system there, else in a temporary folder. What a `kill -9` left is cleared away. */
function makeFolder(): string {
  for (const parent of ['/dev/shm', tmpdir()]) {
    try {
      for (const name of readdirSync(parent)) if (isLeft(name)) clearAway(join(parent, name));
      return mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
    } catch {
      // Not there, or not ours to write: the next one.
    }
  }
  throw new StartError(
    'FOLDER_UNREADABLE',
    `No folder can be made in ${tmpdir()}.`,
    'Set TMPDIR to a folder that can be written.',
  );
}

function clearAway(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Another user's: theirs to clear, and none of our business.
  }
}

function isLeft(name: string): boolean {
  const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : 0;
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function welcome({ address, home, vendorKey }: DevSite, folder: string): string {
  const where = folder.startsWith('/dev/shm') ? 'in memory' : `in ${folder}`;
  const products = DEV_PRODUCTS.map(({ product, seats }) => `${product} (${seats} seats)`).join(', ');
  return `A licence server to try things with, ${where}, on ${address}. Ctrl-C ends it and keeps nothing.
You are ${DEV_OWNER}, owner; products: ${products}.

In another shell:

  export BERTH_HOME='${home}'
  export BERTH_SERVERS='${address}'
  export VENDOR_KEY='${vendorKey}'
  npx --no-install berth status

A plugin in five lines, plugin.mjs:

  import { connect } from '@berth/client';
  const client = await connect({ product: '${DEV_PRODUCTS[0].product}', vendorKeys: [process.env.VENDOR_KEY] });
  const seat = await client.checkout();
  console.log(\`\${seat.seats} seat of \${seat.product}, \${seat.state}\`);
  await client.close();

`;
}

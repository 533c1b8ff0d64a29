// The real server, composed as `berthd serve` composes it, but for a disk, a signer and sockets that end the process when its time has
// come: `node doomed-berthd.mjs DATA`, and the doom as a line of JSON on standard input, so that it can be loaded ahead of time.
import { once } from 'node:events';
import { die, untilStopped } from '@berth/server/commands/running';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { nativeSigner } from '@berth/server/ed25519';
import { createLog } from '@berth/server/ops/log';
import { Server } from '@berth/server/server';
import { reportStartFailure } from '@berth/server/start-error';
import { nodeFiles } from '@berth/server/store/files';
import { doomedFiles, doomedSigner, doomSending, Reaper } from './doomed.js';
import type { Doom } from './points.js';

/** What the server is told besides its folder. */
export interface Orders extends Doom {
  readonly settings: Readonly<Record<string, string | number>>;
}

process.umask(0o077);
// Whoever started it is gone, perhaps killed: nobody would end it.
process.stdin.once('end', () => process.exit(1));
const [line] = (await once(process.stdin.setEncoding('utf8'), 'data')) as [string];
const { settings, ...doom } = JSON.parse(line) as Orders;
const reaper = new Reaper(doom);
doomSending(reaper);
try {
  await serve(process.argv[2]!);
} catch (error) {
  reportStartFailure(error, process.stderr);
  process.exit(1);
}

async function serve(data: string): Promise<void> {
  const folder = await openDataFolder(data);
  const config = await readConfig(settings, folder.stored);
  const log = createLog({ level: config.logLevel });
  const files = doomedFiles(nodeFiles, reaper);
  const sign = doomedSigner(nativeSigner(folder.identity.privateKey), reaper);
  const onFatal = (error: unknown): never => die(error, log);
  const server = await Server.start({ folder, config, log, onFatal, files, sign });
  reaper.serving = true;
  process.stdout.write('{"event":"serving"}\n');
  await untilStopped(server, log);
  process.exit(0);
}

import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BackupBroken, type BackupFault } from '@berth/protocol';
import type { CommandModule } from 'yargs';
import { firstLine } from '../backup/passphrase.js';
import { type BackupFacts, MARKER_ASIDE, moveUp, unpackBackup } from '../backup/unpack.js';
import { makeFolderIn, openDataFolder } from '../data-folder.js';
import { organisationOf, type State } from '../domain/state.js';
import { Engine } from '../engine/engine.js';
import { recover } from '../engine/recover.js';
import { systemClock } from '../ops/clock.js';
import { randomId, randomText } from '../random.js';
import { StartError } from '../start-error.js';
import { nodeFiles } from '../store/files.js';
import { LevelStore } from '../store/level-store.js';
import { stepsFrom } from '../store/migrations.js';
import { VERSION } from '../version.js';
import { printReport } from './print.js';

interface RestoreArgs {
  readonly file: string;
  readonly data: string;
  readonly 'passphrase-file'?: string | undefined;
  readonly json?: boolean | undefined;
}

export const restoreCommand: CommandModule<object, RestoreArgs> = {
  command: 'restore <file>',
  describe: 'Make a data folder of a backup',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'The backup' })
      .option('data', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The data folder to make, missing or empty',
      })
      .option('passphrase-file', {
        type: 'string',
        requiresArg: true,
        describe: 'A file whose first line is the passphrase; or set it in BERTH_BACKUP_PASSPHRASE',
      })
      .option('json', { type: 'boolean', describe: 'Print one JSON object' })
      .epilogue(
        'Exit code 1: the backup is no backup, was changed or is not whole, or the folder cannot be made; 2: no passphrase was given; 4: it is another passphrase. `berth backup verify` exits alike.',
      )
      .example(
        '$0 restore monday.backup --data /var/lib/berthd --passphrase-file /root/passphrase',
        'the server as it was when the backup was made; stop the old one first, for good',
      ),
  handler: restore,
};

/** All of it happens in here; what lies here is not a server that `berthd serve` would find. */
const UNFINISHED = 'restoring';
const MARKER = 'berthd.json';
/** What an interrupted restore may have moved up already. */
const PARTS: ReadonlySet<string> = new Set([UNFINISHED, 'keys', 'tls', 'journal', 'state']);

async function restore(args: RestoreArgs): Promise<void> {
  const passphrase = await passphraseOf(args);
  const folder = resolve(args.data);
  const unfinished = join(folder, UNFINISHED);
  await makeRoom(folder);
  await makeFolderIn(folder, UNFINISHED);
  const facts = await unpackBackup(nodeFiles, args.file, passphrase, unfinished).catch(
    async (error: unknown) => {
      // Nothing of a backup that cannot be used stays where a server is to be.
      await rm(unfinished, { recursive: true, force: true });
      throw error instanceof BackupBroken ? refused(args.file, error.fault) : unusable(args.file, error);
    },
  );
  const made = await begin(unfinished, facts, args.file).catch(async (error: unknown) => {
    await rm(unfinished, { recursive: true, force: true });
    throw isOfDisk(error) ? unusable(args.file, error) : error;
  });
  await moveUp(nodeFiles, unfinished, MARKER);
  await rm(unfinished, { recursive: true });
  say(args, facts, made);
}

/** An empty folder, a missing one, or what is left of a restore that was interrupted. */
async function makeRoom(folder: string): Promise<void> {
  const found: string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new StartError(
      'FOLDER_UNREADABLE',
      `${folder} cannot be used: ${error.message}.`,
      'Check the path and its permissions.',
    );
  });
  const isUnfinished = found.includes(UNFINISHED) && found.every((name) => PARTS.has(name));
  if (found.length > 0 && !isUnfinished)
    throw new StartError(
      'FOLDER_NOT_EMPTY',
      `${found.includes(MARKER) ? 'It holds a server already' : 'It is not empty'}: ${folder}.`,
      'Choose another folder with --data; a folder is never written over.',
    );
  // The first name goes last: as long as it is there, the rest is known for what it is.
  for (const name of found.filter((one) => one !== UNFINISHED))
    await rm(join(folder, name), { recursive: true });
  if (isUnfinished) await rm(join(folder, UNFINISHED), { recursive: true });
}

interface Made {
  readonly server: string;
  readonly epoch: string;
}

/** Proves the journal, begins a new epoch (I9), and only then makes it a folder that a server opens, of this format. */
async function begin(folder: string, facts: BackupFacts, file: string): Promise<Made> {
  const epoch = randomText(12);
  const serverKey = await beginEpoch(folder, facts, epoch, file);
  await nodeFiles.rename(join(folder, MARKER_ASIDE), join(folder, MARKER));
  await nodeFiles.syncFolder(folder);
  const { format, identity } = await openDataFolder(folder, { older: true });
  if (identity.keyText !== serverKey) throw refused(file, 'CONTENT');
  for (const step of stepsFrom(format)) await step.run(nodeFiles, folder, VERSION);
  return { server: identity.id, epoch };
}

/** @returns the key of the server, as its journal has it */
async function beginEpoch(folder: string, facts: BackupFacts, epoch: string, file: string): Promise<string> {
  const store = await LevelStore.open(folder);
  try {
    const nothing = (): void => {};
    const { monoMs } = systemClock.now();
    const options = { files: nodeFiles, folder, store, monoMs, onCut: nothing, onRebuilt: nothing };
    const { state, journal } = await recover(options);
    try {
      const known = organisationOf(state);
      const isWhole = journal.position.seq === facts.seq && known.epoch === facts.epoch;
      if (!isWhole || known.serverKey !== facts.server) throw refused(file, 'CONTENT');
      await submit(state, journal, {
        ...{ type: 'restore', epoch, backupAtMs: facts.atMs },
        known: { epoch: facts.epoch, seq: facts.seq },
      });
      return known.serverKey;
    } finally {
      await journal.close();
    }
  } finally {
    await store.close();
  }
}

async function submit(
  state: State,
  journal: ConstructorParameters<typeof Engine>[0]['journal'],
  command: Parameters<Engine['submit']>[0] & { type: 'restore' },
): Promise<void> {
  await new Promise<void>((done, reject) => {
    const engine = new Engine({
      ...{ state, journal, clock: systemClock, newId: randomId, leaseSeconds: 120 },
      diskLow: () => false,
      onCommitted: () => {},
      onFatal: reject,
    });
    engine.submit(command).then(() => done(), reject);
  });
}

async function passphraseOf(args: RestoreArgs): Promise<string> {
  const file = args['passphrase-file'];
  const given = process.env.BERTH_BACKUP_PASSPHRASE;
  if (file === undefined && given) return given;
  if (file === undefined)
    throw new StartError(
      'USAGE',
      'The passphrase of the backup is missing.',
      'Give --passphrase-file FILE, or set BERTH_BACKUP_PASSPHRASE.',
      2,
    );
  const line = await firstLine(file).catch((error: Error) => {
    const next = 'Check the path and the permissions: the passphrase is the first line of that file.';
    throw new StartError('FILE_UNREADABLE', `The passphrase cannot be read: ${error.message}.`, next);
  });
  // A short one opens a backup that was sealed with it: whether it is right is all that counts here.
  if (line === '')
    throw new StartError(
      'USAGE',
      `The first line of ${file} is empty.`,
      'Write the passphrase into its first line.',
      2,
    );
  return line;
}

/** What such an error says of a folder that stays is true of a server, and not of what was begun here: that is gone again. */
function isOfDisk(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'STATE_OPEN_FAILED' || code === 'JOURNAL_WRITE_FAILED' || isErrno(code);
}

/** As Node names what the system said. */
function isErrno(code: unknown): boolean {
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code);
}

function unusable(file: string, failed: unknown): unknown {
  if (!(failed instanceof Error) || !('code' in failed)) return failed;
  // In the words of the system.
  let error: Error = failed;
  while (error.cause instanceof Error) error = error.cause;
  const next = 'Check the path of the backup, the folder and the space on its disk; then run it again.';
  return new StartError('RESTORE_FAILED', `${file} could not be restored: ${error.message}.`, next);
}

function refused(file: string, fault: BackupFault): StartError {
  if (fault === 'PASSPHRASE')
    return new StartError(
      'PASSPHRASE_WRONG',
      `The passphrase is not that of ${file}.`,
      'Give the one it was made with. Without it nobody can open it.',
      4,
    );
  const sentences = {
    HEAD: 'is no backup, or one of a newer version',
    CHANGED: 'was changed since it was made',
    CUT_SHORT: 'is cut short',
    TOO_LONG: 'goes on behind its end: something was appended to it',
    CONTENT: 'does not hold what a backup holds',
  } as const;
  return new StartError(
    'BACKUP_INVALID',
    `${file} ${sentences[fault]}.`,
    'Take another backup. Nothing was made of this one.',
  );
}

function say(args: RestoreArgs, facts: BackupFacts, made: Made): void {
  const report = {
    ...{ data: resolve(args.data), server: made.server, epoch: made.epoch },
    ...{ records: facts.seq, backupAtMs: facts.atMs },
  };
  printReport(args, report, textOf(report), {
    done: `${report.data} is restored.`,
    next: `Free some space. Never start the old server again; this one: berthd serve --data ${report.data}`,
  });
}

function textOf({
  data,
  server,
  records,
  backupAtMs,
}: {
  data: string;
  server: string;
  records: number;
  backupAtMs: number;
}): string {
  return [
    `Server id:   ${server}`,
    `Data folder: ${data}, as of ${new Date(backupAtMs).toISOString()} (${records} records)`,
    '',
    'Never start the old server again: two with one key give every seat out twice.',
    `Next: berthd serve --data ${data}`,
    'It grants nothing new until the leases of before have run out (minutes), and keeps the seats that may be borrowed back until',
    'the longest borrow has ended. Clients that have seats keep them: they show their leases. What was done after the backup',
    '(users, assignments, imports) is not there: do it again, and imports first, before seats are given out: what was borrowed from an',
    'entitlement that is not here is not kept back. See: berth restore show',
    '',
  ].join('\n');
}

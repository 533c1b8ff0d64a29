import { dirname, resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { openDataFolder } from '../data-folder.js';
import { recover } from '../engine/recover.js';
import { systemClock } from '../ops/clock.js';
import { StartError } from '../start-error.js';
import { type FileSystem, nodeFiles } from '../store/files.js';
import { type FolderCopy, sizeOf } from '../store/folder-copy.js';
import { LevelStore } from '../store/level-store.js';
import { FOLDER_FORMAT, migrateFolder, stepsFrom } from '../store/migrations.js';
import { VERSION } from '../version.js';
import { printReport } from './print.js';

interface MigrateArgs {
  readonly data: string;
  readonly 'dry-run'?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export const migrateCommand: CommandModule<object, MigrateArgs> = {
  command: 'migrate',
  describe: 'Bring a data folder of an older berthd to the format of this one; copies it first',
  builder: (yargs) =>
    yargs
      .option('data', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The data folder; its server must be stopped',
      })
      .option('dry-run', { type: 'boolean', describe: 'Say what would be done, and change nothing' })
      .option('json', { type: 'boolean', describe: 'Print one JSON object' })
      .example(
        '$0 migrate --data /var/lib/berthd --dry-run',
        'what would be done, and how much space it takes',
      )
      .example(
        '$0 migrate --data /var/lib/berthd',
        'copy the folder next to itself, check the copy, then migrate',
      ),
  handler: migrate,
};

interface Report {
  readonly from: number;
  readonly to: number;
  readonly steps: readonly string[];
  readonly bytes: number;
  readonly copy: FolderCopy | null;
  readonly done: boolean;
}

/** Killed at any moment: the folder is of the old format or the new one, whole either way, and the command may be run again. */
async function migrate(args: MigrateArgs): Promise<void> {
  const dryRun = args['dry-run'] === true;
  const { path, format } = await openDataFolder(args.data, { older: true });
  // The lock for as long as it takes: a server that starts meanwhile would write into what is copied.
  const store = await LevelStore.open(path);
  try {
    await requireSound(path, store);
    const steps = stepsFrom(format);
    const report: Report = {
      from: format,
      to: FOLDER_FORMAT,
      steps: steps.map(({ from, to, does }) => `${from} to ${to}: ${does}`),
      bytes: await sizeOf(nodeFiles, path),
      copy: null,
      done: steps.length === 0,
    };
    if (!dryRun && steps.length > 0) {
      await requireSpace(nodeFiles, path, report.bytes);
      const copy = await migrateFolder(nodeFiles, resolve(path), format, VERSION);
      say(args, { ...report, copy, done: true });
    } else say(args, report);
  } finally {
    await store.close();
  }
}

/** What does not check is not migrated: a copy of damage is no way back. Throws what `berthd serve` would. */
async function requireSound(folder: string, store: LevelStore): Promise<void> {
  const nothing = (): void => {};
  const { monoMs } = systemClock.now();
  const options = { files: nodeFiles, folder, store, monoMs, readOnly: true };
  await (await recover({ ...options, onCut: nothing, onRebuilt: nothing })).journal.close();
}

/** A little more than the files: names and folders take space too. */
const SPACE_FACTOR = 1.1;

async function requireSpace(files: FileSystem, folder: string, bytes: number): Promise<void> {
  const free = await files.freeBytes(dirname(resolve(folder)));
  if (free >= bytes * SPACE_FACTOR) return;
  throw new StartError(
    'DISK_LOW',
    `The copy of ${resolve(folder)} takes ${mib(bytes)} MiB; ${mib(free)} MiB are free next to it.`,
    'Free some space there, then run it again. Nothing was changed.',
  );
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}

function say(args: MigrateArgs, report: Report): void {
  const lost =
    report.copy === null
      ? undefined
      : {
          done: `${args.data} is of format ${report.to}; as it was it is in ${report.copy.folder}.`,
          next: 'Free some space. It needs not be migrated again.',
        };
  printReport(args, report, textOf(args.data, report), lost);
}

function textOf(data: string, { from, to, steps, bytes, copy, done }: Report): string {
  if (steps.length === 0) return `${data} is of format ${to} already; there is nothing to do.\n`;
  const lines = steps.map((step) => `  ${step}\n`).join('');
  if (!done)
    return `${data} is of format ${from}. Without --dry-run it is copied next to itself (${mib(bytes)} MiB) and brought to format ${to}:\n${lines}`;
  return `${data} is of format ${to} now:\n${lines}The folder as it was, ${copy?.files} files, compared: ${copy?.folder}\nKeep it until the new server has run for a while. To go back: stop berthd, put it in the place of ${data}, start the older berthd.\n`;
}

import { isDeepStrictEqual } from 'node:util';
import { brokenInvariants } from '@berth/server/domain/invariants';
import { emptyMemoryDisk } from '@berth/server/store/memory-store';
import { type JournalRead, readJournalFiles } from '../../auditor/journal-reader.js';
import { invalidHistory } from '../../auditor/replay.js';
import type { FaultyFiles } from '../../store/faulty-files.js';
import { differences, rowsOf } from '../reopen.js';
import type { Acknowledged, History } from './history.js';
import { FOLDER, OneProcess } from './one-process.js';

/**
 * Opens what is left as a server does, on a disk that works again. Everything that was acknowledged is in the journal, in its place; asked
 * again with its key it gives the same answer and changes nothing (I6, I7); what was in doubt can be asked again; and the stored state is
 * the one its journal leads to. @returns what is wrong
 */
export async function judgeReopened(history: History, disk: FaultyFiles): Promise<string[]> {
  if (!disk.names(`${FOLDER}/journal`).includes('head')) return notFounded(history);
  const before = journalOf(disk);
  let process: OneProcess;
  try {
    process = await OneProcess.start(disk, history.outside);
  } catch (error) {
    return [`it does not start again: ${String(error)}`];
  }
  // The organisation comes first: without it `berthd init` was not done, and nobody was told anything.
  if (process.state.tables.organisation.size === 0) {
    await process.stop();
    return notFounded(history);
  }
  const found = [
    ...auditOf(before),
    ...history.acknowledged.flatMap((each) => notInJournal(each, before)),
    ...brokenInvariants(process.state, history.outside.now),
    ...(await askAgain(process, history)),
    ...(await goOn(process, history)),
  ];
  await process.stop();
  return [...found, ...auditOf(journalOf(disk)), ...(await unlikeJournal(history, disk))];
}

function notFounded({ acknowledged }: History): string[] {
  return acknowledged.length === 0 ? [] : [`${acknowledged.length} acknowledged, and there is no journal`];
}

function journalOf(disk: FaultyFiles): JournalRead {
  const folder = `${FOLDER}/journal`;
  return readJournalFiles(disk.names(folder), (name) => disk.get(`${folder}/${name}`));
}

/** A valid history by rules of the auditor's own. */
function auditOf(journal: JournalRead): string[] {
  if (journal.fault !== null) return [journal.fault];
  return invalidHistory({ journal }).map(({ rule, text }) => `${rule} ${text}`);
}

function notInJournal({ command, position }: Acknowledged, { records }: JournalRead): string[] {
  if (records[position.seq - 1]?.hash === position.hash) return [];
  return [`I6 ${command.type} was answered at record ${position.seq}, which is not there any more`];
}

async function askAgain(process: OneProcess, { acknowledged }: History): Promise<string[]> {
  const found: string[] = [];
  for (const { command, outcome } of acknowledged) {
    // Others are not kept by a key: their record was looked for.
    if (!('request' in command)) continue;
    const { seq } = process.journal.position;
    const again = await process.submit(command);
    const isSame = again.ok && isDeepStrictEqual(plain(again.outcome), plain(outcome));
    if (!isSame) found.push(`I7 ${command.type} asked again: ${JSON.stringify(again)}`);
    if (process.journal.position.seq !== seq) found.push(`I7 ${command.type} asked again happened again`);
  }
  return found;
}

/** Whoever had no answer asks again with the same key; and the site goes on. */
async function goOn(process: OneProcess, { inDoubt, outside }: History): Promise<string[]> {
  const found: string[] = [];
  for (const command of inDoubt) {
    if (!('request' in command)) continue;
    const [once, twice] = [await process.submit(command), await process.submit(command)];
    if (!once.ok) found.push(`${command.type}, which had no answer, is refused: ${JSON.stringify(once)}`);
    if (!isDeepStrictEqual(once, twice)) found.push(`I7 ${command.type} gives two answers`);
  }
  return [...found, ...brokenInvariants(process.state, outside.now)];
}

async function unlikeJournal({ outside }: History, disk: FaultyFiles): Promise<string[]> {
  const stored = await OneProcess.start(disk, outside);
  const replayed = await OneProcess.start(disk, { ...outside, rows: emptyMemoryDisk() });
  const differing = differences(rowsOf(stored.state), rowsOf(replayed.state));
  return differing.map((key) => `the stored row ${key} is not the journal's`);
}

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

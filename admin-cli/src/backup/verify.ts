import { BackupBroken, type BackupEnd, type BackupFault, readBackup } from '@berth/protocol';
import { Failure } from '../fail.js';
import { quote } from '../parse.js';
import { cipherOf } from './cipher.js';
import { JournalChain } from './journal-chain.js';

/** What a backup holds, after all of it was read. */
export interface Verified {
  readonly server: string;
  readonly epoch: string;
  readonly seq: number;
  readonly head: string;
  readonly atMs: number;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly bytes: number;
}

const NEEDED = ['berthd.json', 'keys/server.key'];

/** Opens all of a backup and follows its journal from the first record to the last. @throws Failure BACKUP_INVALID, PASSPHRASE_WRONG */
export async function verifyBackup(
  file: string,
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
): Promise<Verified> {
  const files: { path: string; bytes: number }[] = [];
  const chain = new JournalChain();
  let inJournal = false;
  let end: BackupEnd['end'] | null = null;
  let bytes = 0;
  const counted = (async function* () {
    for await (const piece of source) {
      bytes += piece.length;
      yield piece;
    }
  })();
  try {
    for await (const piece of readBackup(counted, (head) => cipherOf(passphrase, head))) {
      if (piece.kind === 'end') end = piece.end;
      else if (piece.kind === 'bytes') {
        if (inJournal) chain.add(piece.bytes);
      } else {
        const { path } = piece.file;
        if (files.some((known) => known.path === path)) throw new BackupBroken('CONTENT');
        files.push(piece.file);
        inJournal = path.startsWith('journal/');
        if (path.endsWith('.base')) chain.beginBase(piece.file.bytes);
        else if (inJournal) chain.begin(Number(path.slice('journal/'.length, -'.log'.length)));
      }
    }
  } catch (error) {
    throw error instanceof BackupBroken ? broken(file, error.fault) : error;
  }
  const missing = NEEDED.find((path) => !files.some((known) => known.path === path));
  if (end === null || missing !== undefined) throw broken(file, 'CONTENT');
  const fault = chain.end(end.seq, end.head);
  if (fault !== null)
    throw new Failure('BACKUP_INVALID', { message: `${quote(file)}: its journal is not whole: ${fault}.` });
  return { ...end, files, bytes };
}

function broken(file: string, fault: BackupFault): Failure {
  if (fault === 'PASSPHRASE') return new Failure('PASSPHRASE_WRONG');
  const sentences = {
    HEAD: 'is no backup, or one of a newer version',
    CHANGED: 'was changed since it was made',
    CUT_SHORT: 'is cut short',
    TOO_LONG: 'goes on behind its end: something was appended to it',
    CONTENT: 'does not hold what a backup holds',
  } as const;
  return new Failure('BACKUP_INVALID', { message: `${quote(file)} ${sentences[fault]}.` });
}

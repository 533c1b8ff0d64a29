import { limits } from '@berth/protocol';
import { type Denial, deny } from '../domain/commands.js';

// Why records of the journal do not go (PROTOCOL 7.87), each with what to do.

/** Files of the journal are being read, or a record that nobody may lose is damaged. @param older as of OlderRecords */
export function heldBy(isBackupRead: boolean, older: 'reading' | 'damaged' | null): Denial | null {
  if (isBackupRead)
    return deny('PRUNE_BUSY', 'A backup is being made of the files of the journal.', { rule: 'BACKUP' });
  if (older === 'reading')
    return deny('PRUNE_BUSY', 'The older records are still being verified since the start.', {
      rule: 'VERIFYING',
    });
  return older === 'damaged'
    ? deny(
        'PRUNE_REFUSED',
        'An older record of the journal, or its base, is damaged: nothing of it is removed.',
        { rule: 'DAMAGED' },
        'Put the file back from a backup first (docs/site-it.md, Audit).',
      )
    : null;
}

/** No refusal: the next server is asked the same. */
export function stopping(): Denial {
  return deny('DRAINING');
}

export function gone(seq: number): Denial {
  return deny(
    'PRUNE_REFUSED',
    `Records up to ${seq} were pruned already.`,
    { rule: 'PRUNED', seq },
    'Nothing is left to do for these.',
  );
}

/** @param firsts the first record of each file */
export function noEnd(seq: number, firsts: readonly number[]): Denial {
  const ends = firsts.slice(1).map((first) => first - 1);
  return deny(
    'PRUNE_REFUSED',
    `Record ${seq} is not the last of a file of the journal that is not written any more.`,
    { rule: 'SEGMENT', ends: ends.slice(-20) },
    ends.length === 0
      ? 'The journal has one file, which is still written: nothing of it can go.'
      : `These are: ${ends.slice(-20).join(', ')}.`,
  );
}

export function otherHash(seq: number): Denial {
  return deny(
    'PRUNE_REFUSED',
    `Record ${seq} has another hash here: what was exported is not this journal.`,
    { rule: 'HEAD' },
    'Export it again. If that is refused too, keep both files and report this.',
  );
}

export function tooYoung(untilMs: number): Denial {
  const days = limits.pruneAgeMs / 86_400_000;
  return deny(
    'PRUNE_REFUSED',
    `Some of these records are of ${new Date(untilMs).toISOString().slice(0, 10)}, less than ${days} days ago.`,
    { rule: 'RECENT', lastAtMs: untilMs },
    'Take an earlier date, or say that it is meant: --recent.',
  );
}

export function noBase(reason: string): Denial {
  return deny(
    'PRUNE_REFUSED',
    `The base from which the journal goes on could not be made: ${reason}. Nothing was pruned.`,
    { rule: 'BASE' },
    'Check the disk and its free space; a state that does not check is rebuilt by a restart of berthd.',
  );
}

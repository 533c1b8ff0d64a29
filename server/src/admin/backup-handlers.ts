import { BACKUP_PART_BYTES, canonicalText, limits, type RestoreInfo } from '@berth/protocol';
import { deny } from '../domain/commands.js';
import { restoreView } from '../domain/decide/restore.js';
import { unknownSeats } from '../domain/restore.js';
import type { RestoreView } from '../domain/restore-commands.js';
import { organisationOf, type State } from '../domain/state.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { asked } from './request.js';

type BackupHandlers = Pick<
  Handlers,
  'backup.show' | 'backup.begin' | 'backup.read' | 'backup.finish' | 'restore.show' | 'restore.accept'
>;

/**
 * A backup is sealed where it is kept: the server hands out what belongs to it, and never sees the passphrase. Each piece is asked for, so
 * a slow reader costs nothing and nothing is kept between two requests.
 */
export function backupHandlers(deps: HandlerDeps): BackupHandlers {
  const { engine, backup, clock } = deps;
  return {
    'backup.show': () =>
      engine.read((state): Answer<'backup.show'> => {
        const last = organisationOf(state).backup ?? null;
        return { ok: true, result: { last, ...backup.timer() } };
      }),
    'backup.begin': async (params, caller) => {
      const damage = await backup.source.damage();
      const mended = damage && (await backup.mend(damage.error));
      if (damage !== null && mended?.ok === false)
        return deny(
          'JOURNAL_DAMAGED',
          `No backup can be made: ${damage.words}. ${mended.why === undefined ? '' : `It could not be made anew: ${mended.why}. `}What is served is right all the same.`,
        );
      // Durable first: who has the key of the server is in the journal, and in the backup.
      const settled = await engine.submit({ type: 'beginBackup', ...asked('backup.begin', params, caller) });
      if (!settled.ok) return settled;
      const { position, files, journal, base } = await backup.source.cut();
      const { serverKey: server, epoch } = organisationOf(deps.state);
      const result = {
        ...{ server, epoch, seq: position.seq, atMs: clock.now().wallMs },
        head: Buffer.from(position.hash, 'hex').toString('base64url'),
        files: files.map(({ path, bytes }) => ({ path, bytes: Buffer.from(bytes).toString('base64url') })),
        journal: [
          ...(base === null ? [] : [{ segment: `${padded(base.at)}${BASE}`, bytes: base.bytes }]),
          ...journal.map(({ firstSeq, bytes }) => ({ segment: padded(firstSeq), bytes })),
        ],
      };
      return { ok: true, result };
    },
    'backup.read': async ({ segment, offset }) => {
      const { source } = backup;
      const bytes = segment.endsWith(BASE)
        ? await source.base(Number(segment.slice(0, -BASE.length)), offset, BACKUP_PART_BYTES)
        : await source.segment(Number(segment), offset, BACKUP_PART_BYTES);
      if (bytes === null)
        return deny('PARAMS_INVALID', 'segment: there is no such file of the journal', { field: 'segment' });
      return { ok: true, result: { bytes: Buffer.from(bytes).toString('base64url') } };
    },
    'backup.finish': async (params, caller) => {
      const { seq, bytes, atMs: madeAtMs } = params;
      const command = { type: 'noteBackup', seq, bytes, madeAtMs } as const;
      backup.source.over(seq);
      const settled = await engine.submit({ ...command, ...asked('backup.finish', params, caller) });
      return settled.ok ? { ok: true, result: { backup: settled.outcome.backup } } : settled;
    },
    'restore.show': () =>
      engine.read((state, now): Answer<'restore.show'> => {
        return { ok: true, result: { restore: restoreInfo(state, restoreView(state, now)) } };
      }),
    'restore.accept': async (params, caller) => {
      const reason = canonicalText(params.reason, limits.reasonChars);
      if (reason === null) return deny('NAME_INVALID', 'The reason has characters that a text may not have.');
      const settled = await engine.submit({
        type: 'acceptRestore',
        reason,
        ...asked('restore.accept', params, caller),
      });
      if (!settled.ok) return settled;
      const { changed, before } = settled.outcome;
      return { ok: true, result: { changed, before: restoreInfo(deps.state, before) } };
    },
  };
}

const BASE = '.base';

function padded(seq: number): string {
  return String(seq).padStart(20, '0');
}

function restoreInfo(state: State, view: RestoreView | null): RestoreInfo | null {
  if (view === null) return null;
  const { reserves, missing, ...rest } = view;
  const kept = reserves.map(({ entitlement, product, seats, untilMs }) => ({
    ...{ product, entitlement, untilMs },
    // Those that are known are shown as borrowed.
    seats: state.tables.reserve.has(entitlement) ? unknownSeats(state, entitlement) : seats,
  }));
  return { ...rest, kept: kept.slice(0, limits.mineRows), missing: missing.slice(0, limits.mineRows) };
}

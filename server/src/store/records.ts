import type { Act } from '../domain/acts.js';
import type { Change } from '../domain/changes.js';
import type { LoadedRows } from '../domain/load.js';
import type { Rows, State, TableName } from '../domain/state.js';
import type { ChangedRows } from './state-store.js';

// The versioned encoding of what the journal and the state store hold. Both are covered by checksums and a hash chain
// (DESIGN 2), so what decodes is what was written; the version says whether this server understands it.

/** Raised only together with a migration. */
export const FORMAT_VERSION = 1;

/** The data was written by a newer server. Nothing was changed. */
export class FormatNewer extends Error {
  override readonly name = 'FormatNewer';
  readonly code = 'FORMAT_NEWER';

  readonly next =
    'Start the newer berthd again, or put back the copy that berthd migrate made, or restore a backup made with this one.';

  /** @param writtenBy the version of the berthd that did, where it is known */
  constructor(
    readonly version: unknown,
    known = FORMAT_VERSION,
    writtenBy?: string,
  ) {
    const by = writtenBy === undefined ? '' : `, by berthd ${writtenBy}`;
    super(
      `The data was written in format ${String(version)}${by}; this berthd knows format ${known}. Nothing was changed.`,
    );
  }
}

/** What one journal record says: the changes of one group commit, and who did them. Older servers wrote no acts and read past them. */
export interface CommitRecord {
  readonly changes: readonly Change[];
  readonly acts: readonly Act[];
}

/** The payload of one journal record. */
export function encodeChanges(changes: readonly Change[], acts: readonly Act[] = []): Uint8Array {
  return Buffer.from(JSON.stringify({ v: FORMAT_VERSION, ...(acts.length === 0 ? {} : { acts }), changes }));
}

/** Throws FormatNewer. */
export function decodeChanges(payload: Uint8Array): readonly Change[] {
  return decodeCommit(payload).changes;
}

/** Throws FormatNewer. The payload was verified by the journal: anything else that does not decode is a bug and throws. */
export function decodeCommit(payload: Uint8Array): CommitRecord {
  const record = JSON.parse(
    Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString(),
  ) as {
    v: number;
    changes: readonly Change[];
    acts?: readonly Act[];
  };
  if (record.v !== FORMAT_VERSION) throw new FormatNewer(record.v);
  return { changes: record.changes, acts: record.acts ?? [] };
}

/** The rows that changed since the last call, by `<table>/<id>`; `null`: deleted. */
export function takeChangedRows(state: State): ChangedRows {
  const rows = new Map<string, unknown>();
  for (const [name, table] of Object.entries(state.tables)) {
    for (const id of table.takeDirty()) {
      const row = table.get(id);
      rows.set(`${name}/${id}`, row ?? null);
    }
  }
  return rows;
}

export function decodeRows(stored: ReadonlyMap<string, string>): LoadedRows {
  const tables: { [K in TableName]: Map<string, Rows[K]> } = {
    organisation: new Map(),
    user: new Map(),
    formerUser: new Map(),
    device: new Map(),
    invitation: new Map(),
    machineToken: new Map(),
    product: new Map(),
    endorsement: new Map(),
    entitlement: new Map(),
    allocation: new Map(),
    seat: new Map(),
    lease: new Map(),
    request: new Map(),
    mail: new Map(),
    job: new Map(),
    jobRow: new Map(),
    creditAccess: new Map(),
    creditAccount: new Map(),
    creditUse: new Map(),
    creditRequest: new Map(),
    reserve: new Map(),
  };
  for (const [key, value] of stored) {
    const at = key.indexOf('/');
    const table = tables[key.slice(0, at) as TableName] as Map<string, unknown>;
    table.set(key.slice(at + 1), JSON.parse(value));
  }
  return tables;
}

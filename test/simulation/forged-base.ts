import { createHash } from 'node:crypto';
import { baseName, encodeBaseHeader, encodeRows } from '@berth/server/store/base-format';
import type { Position } from '@berth/server/store/position';
import type { FaultyFiles } from '../store/faulty-files.js';

/**
 * Somebody who has the folder of the server puts a base of their own beside the journal: newer than the one that the journal names, well made, and with
 * more seats than the vendor granted.
 */
export function forgeBase(
  disk: FaultyFiles,
  folder: string,
  rows: ReadonlyMap<string, string>,
  { until, at }: { readonly until: Position; readonly at: Position },
): void {
  const forged = [...rows].map(([key, value]): [string, string] => [
    key,
    key.startsWith('entitlement/')
      ? value.replace(/"seats":(\d+)/, (_, seats) => `"seats":${Number(seats) + 9}`)
      : value,
  ]);
  const bytes = encodeRows(forged);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const header = encodeBaseHeader({ until, at, rows: forged.length, bytes: bytes.length, sha256 });
  disk.put(`${folder}/${baseName(at.seq)}`, Buffer.concat([header, bytes]));
}

import { createHash } from 'node:crypto';
import { baseName, encodeBaseHeader, encodeRows } from '@berth/server/store/base-format';
import type { Journal } from '@berth/server/store/journal';
import type { FaultyFiles } from '../store/faulty-files.js';

/**
 * Somebody who has the folder of the server puts a base of their own beside the journal: newer than the one that the journal names, well made, and with
 * more seats than the vendor granted.
 */
export function forgeBase(
  disk: FaultyFiles,
  rows: ReadonlyMap<string, string>,
  { base, position: at, folder }: Pick<Journal, 'base' | 'position' | 'folder'>,
): void {
  if (base === null) return;
  const { until } = base;
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

import type { AuditChange, AuditEntry } from '@berth/protocol';
import { momentCell } from '../words.js';

/** What changed, in one line: `allocation.set user=anna@studio.example quantity=2 (was 0)`. */
export function changesText({ changes, more }: Pick<AuditEntry, 'changes' | 'more'>): string {
  const said = changes.map(changeText);
  return [...said, ...(more === undefined ? [] : [`and ${more} more`])].join('; ');
}

function changeText({ kind, facts }: AuditChange): string {
  const words = facts.map(({ name, value, was }) => {
    const before = was === undefined ? '' : ` (was ${shown(was)})`;
    return `${name}=${shown(value)}${before}`;
  });
  return [kind, ...words].join(' ');
}

/** In quotes where it would not be told from what is around it: names are chosen by whoever has them. */
function shown(value: string): string {
  return /^[\w.@:+-]+$/.test(value) ? value : JSON.stringify(value);
}

export function whenCell({ atMs }: AuditEntry): string {
  return atMs === null ? '' : momentCell(atMs);
}

export function byCell({ by }: AuditEntry): string {
  return by ?? 'the server';
}

export function deviceCell({ device, deviceName }: AuditEntry): string {
  return deviceName ?? device ?? '';
}

/** One entry in one line, for somebody who watches. */
export function entryLine(entry: AuditEntry): string {
  const where = [deviceCell(entry), entry.from ?? ''].filter((text) => text !== '').join(' ');
  return [
    whenCell(entry),
    byCell(entry),
    ...(where === '' ? [] : [`(${where})`]),
    entry.did ?? '',
    changesText(entry),
  ]
    .filter((text) => text !== '')
    .join('  ');
}

import { hash } from 'node:crypto';
import Type, { Compile, type Static } from '@berth/protocol/typebox';
import { type Position, START } from './position.js';
import type { RowSums } from './row-sums.js';

/** Raised when the rows are laid out anew; a store of another format is rebuilt from the journal. */
const FORMAT = 1;

const StateMeta = Type.Object({
  format: Type.Literal(FORMAT),
  seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  rows: Type.Integer({ minimum: 0 }),
  sum: Type.Integer({ minimum: 0 }),
  check: Type.String(),
});

/** The store's own row: which position the other rows stand for, and what they add up to. */
export type StateMeta = Static<typeof StateMeta>;

const validator = Compile(StateMeta);

export function encodeMeta(position: Position, sums: RowSums): string {
  const { seq, hash: chainHash } = position;
  const meta: Unchecked = { format: FORMAT, seq, hash: chainHash, rows: sums.count, sum: sums.total };
  return JSON.stringify({ check: checkOf(meta), ...meta });
}

/** The meta row, or null when it is damaged or of another format. LevelDB verifies no checksum on reading, so this does. */
export function decodeMeta(text: string): StateMeta | null {
  const meta = parse(text);
  return validator.Check(meta) && meta.check === checkOf(meta) ? meta : null;
}

/** What the rows stand for, by the store's own row; or, in words, why they cannot be believed. */
export function positionOf(
  metaText: string | undefined,
  sums: Pick<RowSums, 'count' | 'total'>,
): Position | string {
  if (metaText === undefined) return sums.count === 0 ? START : 'what its rows stand for is lost';
  const meta = decodeMeta(metaText);
  if (meta === null) return 'what its rows stand for is damaged, or of another version';
  if (meta.rows !== sums.count || meta.sum !== sums.total) return 'rows are lost, changed or left over';
  return { seq: meta.seq, hash: meta.hash };
}

type Unchecked = Omit<StateMeta, 'check'>;

function checkOf(meta: Unchecked): string {
  return hash('sha256', [meta.format, meta.seq, meta.hash, meta.rows, meta.sum].join(' '), 'hex');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

import type { Position } from '../store/position.js';

/** What the engine needs of a journal: append one record and resolve when it is durable (I6). One call at a time. */
export interface JournalWriter {
  readonly position: Position;
  append(payload: Uint8Array): Promise<Position>;
}

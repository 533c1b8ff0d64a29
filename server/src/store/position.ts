/** A place in the journal: record number `seq` and `hash`, the chain hash after that record (64 hex digits). I10. */
export interface Position {
  readonly seq: number;
  readonly hash: string;
}

/** Before the first record: sequence 0 and 32 zero bytes. The first record is sequence 1 and continues this hash. */
export const START: Position = { seq: 0, hash: '0'.repeat(64) };

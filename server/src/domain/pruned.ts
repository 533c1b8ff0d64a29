/** Records up to `seq` were exported, and are not in the journal any more (decision 0018). */
export interface Pruned {
  /** The last of them, and its hash, hex: the journal goes on from there. */
  readonly seq: number;
  readonly hash: string;
  /** The first of those that went with this one. */
  readonly from: number;
  /** Of their files. */
  readonly bytes: number;
  /** What stands for them from then on, and no other: the record whose state it is, its hash, and the SHA-256 of the rows, hex. */
  readonly base: { readonly at: number; readonly hash: string; readonly sha256: string };
  readonly atMs: number;
  /** E-mail. */
  readonly by: string;
  /** When another base took the place of one that was damaged: nothing went with that record. Left out: it is the base of the prune. */
  readonly renewedAtMs?: number;
}

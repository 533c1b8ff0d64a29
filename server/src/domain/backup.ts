/** A backup that was written, read again and found whole. */
export interface BackupMade {
  readonly atMs: number;
  /** The record of the journal that it ends with. */
  readonly seq: number;
  readonly bytes: number;
  /** E-mail; `null`: the server itself, by its timer. */
  readonly by: string | null;
}

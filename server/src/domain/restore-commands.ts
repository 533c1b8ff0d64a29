import type { LeaseClaims, Witness } from '@berth/protocol';
import type { BackupMade } from './backup.js';
import type { Asked, By } from './commands.js';
import type { Pruned } from './pruned.js';
import type { Reserve, Restore } from './restore.js';

/** Commands about backups, about what the journal lets go of, and about what is not known after a restore (I9). */
export interface RestoreCommands {
  /** `berthd restore`, before any server runs on the folder. */
  restore: { readonly epoch: string; readonly known: Restore['known']; readonly backupAtMs: number };
  /** A server starts; nothing happens unless it is the first one on a restored folder. */
  beginRestore: Record<never, never>;
  /** For how long leases are granted from now on (the context says it): a restore of a backup has no configuration to ask. */
  noteWindow: Record<never, never>;
  /**
   * A client showed a token of this server that names a record which is not here: somebody put an older folder in the place of this one.
   * @param shown the record and when the token was signed, seconds since 1970
   */
  rollBack: {
    readonly epoch: string;
    readonly known: Restore['known'];
    readonly shown: Pick<Witness, 'epoch' | 'seq'> & { readonly iat: number };
    readonly device: string;
  };
  /** Leases that a device shows by their tokens, whose signatures were verified. */
  readmit: { readonly by: By; readonly leases: readonly LeaseClaims[] };
  /** @param reason why nothing of before is out any more: an admin answers for it */
  acceptRestore: Asked & { readonly reason: string };
  /** Records up to a position were exported. @param token the signed checkpoint of that position */
  prune: Asked & {
    readonly token: string;
    readonly until: { readonly seq: number; readonly hash: string };
    /** Durable already. */
    readonly base: Pruned['base'];
    /** The first of them, and the bytes of their files. */
    readonly first: number;
    readonly bytes: number;
  };
  /** By the server itself: the base was found to be damaged, and this one is durable already. */
  renewBase: { readonly base: Pruned['base'] };
  beginBackup: Asked;
  /** By a person, or by the timer of the server. */
  noteBackup: {
    readonly seq: number;
    readonly bytes: number;
    readonly madeAtMs: number;
  } & Partial<Asked>;
}

export interface RestoreOutcomes {
  restore: Record<never, never>;
  beginRestore: { readonly begun: boolean };
  noteWindow: { readonly noted: boolean };
  rollBack: { readonly entered: boolean };
  readmit: {
    /** Known from now on, or already. */
    readonly admitted: readonly string[];
    /** For which there is no room, or that cannot be in use any more. */
    readonly refused: readonly string[];
  };
  acceptRestore: { readonly changed: boolean; readonly before: RestoreView | null };
  prune: { readonly pruned: Pruned };
  renewBase: Record<never, never>;
  beginBackup: Record<never, never>;
  noteBackup: { readonly backup: BackupMade };
}

/** How far a restored server is from knowing everything again. */
export interface RestoreView {
  readonly cause: Restore['cause'];
  readonly atMs: number;
  readonly backupAtMs: number | null;
  /** Nothing at all is granted until then; `null`: that is over, or no server has begun to count. */
  readonly holdingUntilMs: number | null;
  readonly holding: boolean;
  readonly reserves: readonly Reserve[];
  /** Borrows that the backup knew and that nobody has shown. */
  readonly unseen: number;
  /** Entitlements to import again before their products are granted. */
  readonly missing: readonly { readonly entitlement: string; readonly product: string }[];
  readonly accepted: NonNullable<Restore['accepted']> | null;
}

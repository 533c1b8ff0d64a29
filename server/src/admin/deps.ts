import type { Verify } from '@berth/protocol';
import type { AuditLog } from '../audit/audit-log.js';
import type { Mended, Pruner } from '../audit/pruner.js';
import type { BackupSource } from '../backup/source.js';
import type { Now, State } from '../domain/state.js';
import type { Engine } from '../engine/engine.js';
import type { Invitations } from '../engine/invitations.js';
import type { Issuer } from '../engine/issuer.js';
import type { Rollback } from '../engine/rollback.js';
import type { PostOffice } from '../mail/post-office.js';
import type { Metrics } from '../ops/metrics.js';
import type { Sessions } from '../transport/api.js';

/** What the handlers of both paths need. Complete or not at all (STYLE 6). */
export interface HandlerDeps {
  /** Read-only, and not necessarily durable yet: for questions whose answer does not leave the server. */
  readonly state: State;
  readonly engine: Engine;
  readonly issuer: Issuer;
  readonly audit: Pick<AuditLog, 'newest' | 'after' | 'records' | 'segments'>;
  readonly pruner: Pick<Pruner, 'preview' | 'prune' | 'endOf'>;
  readonly invitations: Invitations;
  readonly verify: Verify;
  readonly metrics: Pick<Metrics, 'checkout' | 'denial' | 'waited'>;
  readonly sessions: Pick<Sessions, 'isBound' | 'pushToLease'>;
  readonly clock: { now(): Now };
  /** Where join links point. */
  readonly address: () => { readonly host: string; readonly port: number };
  readonly serverKey: Uint8Array;
  readonly invitationMs: number;
  readonly mail: Pick<PostOffice, 'configured' | 'fault' | 'letterOf' | 'sendNow'>;
  readonly rollback: Pick<Rollback, 'witnessed' | 'shown'>;
  readonly backup: {
    readonly source: Pick<BackupSource, 'damage' | 'cut' | 'segment' | 'base' | 'over'>;
    /** A damaged base is made anew, or why not. */
    mend(error: unknown): Promise<Mended>;
    /** How often the server makes one by itself, and why the last one failed. */
    timer(): { readonly everyMs: number | null; readonly failed: string | null };
  };
  readonly version: string;
}

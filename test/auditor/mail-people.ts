import type { ActSeen } from './acts.js';

/** One thing that a mail tells. */
export interface Fact {
  readonly kind: string;
  readonly invitation?: string | undefined;
  readonly product?: string | undefined;
  readonly quantity?: number | undefined;
}

interface Asker {
  readonly id: string;
  readonly by: string;
  readonly rows: number;
}

/** Whom mails are for besides those whom something was given or taken: who runs the organisation, and who asked for a job; and which links are still good. */
export class People {
  readonly #running = new Set<string>();
  readonly #jobs = new Map<string, Asker>();
  readonly #usedUp = new Set<string>();

  /** Call it for each command in its turn. */
  before({ changes }: ActSeen): void {
    for (const { type, user, email, job, id, device } of changes) {
      if (type === 'user.put') {
        const { email: whom, role, state } = user as { email: string; role: string; state: string };
        const runs = state === 'active' && (role === 'owner' || role === 'admin');
        this.#running[runs ? 'add' : 'delete'](whom);
      }
      if (type === 'user.removed') this.#running.delete(String(email));
      if (type === 'job.made') this.#jobs.set((job as Asker).id, job as Asker);
      if (type === 'invitation.dropped') this.#usedUp.add(String(id));
      if (type === 'device.enrolled') this.#usedUp.add((device as { invitation: string }).invitation);
    }
  }

  isUsedUp(invitation: string): boolean {
    return this.#usedUp.has(invitation);
  }

  /** What has to be told in the commit of these changes. */
  dueIn({ changes }: ActSeen): string[] {
    return changes.flatMap(({ type, id }): string[] => {
      if (type === 'credit.asked')
        return [...this.#running].map((to) => wordsOf(to, { kind: 'creditAsked' }));
      const job = type === 'job.ended' ? this.#jobs.get(String(id)) : undefined;
      return job === undefined || !job.rows ? [] : [wordsOf(job.by, { kind: 'bulk' })];
    });
  }
}

/** To compare what is told with what has to be. */
export function wordsOf(to: string, { kind, invitation, product, quantity }: Fact): string {
  return [to, kind, invitation, product, quantity].filter((word) => word !== undefined).join(' ');
}

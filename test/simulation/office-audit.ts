import type { Office } from './office.js';

/** How far back an admin exports, records. */
const BACK = 30;

/** What an admin looks at afterwards: the journal and its checkpoints, mails, the reports of jobs. */
export async function lookBack(office: Office, key: string): Promise<void> {
  const { admin, dice } = office;
  const roll = dice.below(10);
  if (roll < 5) {
    const { checkpoint } = await admin.call('audit.checkpoint', { key });
    const { seq } = claimsOf(checkpoint);
    const from = { seq: Math.max(1, seq - dice.below(BACK)), offset: 0 };
    await admin.call('audit.records', { from, until: seq });
  } else if (roll < 7) {
    await admin.call('audit.list', { limit: 20, ...dice.pick([{}, { kind: 'allocation.set' }]) });
  } else if (roll < 9) await admin.call('mail.retry', { key });
  else await admin.call('mail.list', { limit: 20 });
}

function claimsOf(token: string): { readonly seq: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { seq: number };
}

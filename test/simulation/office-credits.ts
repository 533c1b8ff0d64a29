import type { Office } from './office.js';

/** What an admin does about credits. */
export async function administerCredits(office: Office, key: string): Promise<void> {
  const { admin, dice, people } = office;
  const email = dice.pick(people);
  const roll = dice.below(10);
  if (roll < 4) await admin.call('credit.limit', { key, email, ...grantFrom(office) });
  else if (roll < 9) await answerOne(office, key);
  else {
    await admin.call('credit.show', {});
    await admin.call('credit.usage', { by: dice.pick(['day', 'month'] as const) });
    await admin.call('user.list', { credit: dice.pick(['disabled', 'limited', 'unlimited'] as const) });
  }
}

function grantFrom({ dice }: Pick<Office, 'dice'>) {
  const roll = dice.below(10);
  if (roll < 1) return { access: 'disabled' } as const;
  if (roll < 5) return { access: 'unlimited' } as const;
  const per = dice.pick(['day', 'month', 'year', 'total'] as const);
  return { access: 'limited', limit: dice.between(0, 60), per } as const;
}

async function answerOne(office: Office, key: string): Promise<void> {
  const { admin, dice } = office;
  const { items } = await admin.call('credit.requests', {});
  if (items.length === 0) return;
  const { email, id } = dice.pick(items);
  const approve = dice.chance(0.8);
  const grant = dice.chance(0.3) ? { grant: grantFrom(office) } : {};
  await admin.call('credit.decide', { key, email, id, approve, ...grant });
}

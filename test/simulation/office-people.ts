import { newIdempotencyKey } from '@berth/client';
import type { Office } from './office.js';

/** People and machines come and go. */
export async function employ(office: Office, key: string): Promise<void> {
  const { dice } = office;
  // Of a mail that may have been taken nobody knows yet: what it says has to stay.
  const isAway = office.site.mailServer?.isAway === true;
  const roll = isAway ? 7 : dice.below(17);
  if (roll < 3) await inviteTemp(office, key);
  else if (roll < 5) await removeTemp(office, key);
  else if (roll < 6) await replaceUser(office, key);
  else if (roll < 7) await replaceDevice(office, key);
  else if (roll < 8) await rename(office, key);
  else if (roll < 16 && roll >= 14) await changeLogin(office, key);
  else if (roll >= 16) await changeRole(office, key);
  else if (roll < 9) await cancelTemp(office, key);
  else if (roll < 11) await makeToken(office, key);
  else await replaceMachine(office, key);
}

const TEMP = 'temp';

/** Most never join; where one does, somebody else has the link too. */
async function inviteTemp({ admin, dice, hire }: Office, key: string): Promise<void> {
  const email = `${TEMP}${dice.below(5)}@studio.example`;
  const { link } = await admin.call('user.invite', { key, email });
  if (dice.chance(0.4)) for (let joining = 0; joining < 2; joining++) hire(email, link);
}

async function removeTemp({ admin, dice }: Office, key: string): Promise<void> {
  const email = `${TEMP}${dice.below(5)}@studio.example`;
  await admin.call('user.remove', { key, email, ...dice.pick([{}, { pending: true }, { cancel: true }]) });
}

async function cancelTemp({ admin, dice }: Office, key: string): Promise<void> {
  await admin.call('user.invitation.cancel', { key, email: `${TEMP}${dice.below(5)}@studio.example` });
}

/** A person, or the organisation, which only an owner may. */
async function rename({ admin, dice, people }: Office, key: string): Promise<void> {
  if (dice.chance(0.4)) {
    await admin.call('organisation.set', { key, name: `Studio ${dice.below(1000)}` });
    return;
  }
  await admin.call('user.set', { key, email: dice.pick(people), name: `Artist ${dice.below(1000)}` });
}

/** The login name by which a person is also known, once somebody has said so. */
export function loginOf(email: string): string {
  return `STUDIO\\${email.split('@')[0]}`;
}

async function changeLogin({ admin, dice, people }: Office, key: string): Promise<void> {
  const email = dice.pick(people);
  const login = dice.chance(0.2) ? loginOf(dice.pick(people)) : loginOf(email);
  const change = dice.chance(0.7) ? { addAliases: [login] } : { removeAliases: [login] };
  await admin.call('user.set', { key, email, ...change });
}

async function changeRole({ admin, dice, people }: Office, key: string): Promise<void> {
  await admin.call('user.set', { key, email: dice.pick(people), role: dice.pick(['user', 'viewer']) });
}

/** A lost computer: what it has ends, and its user joins with another one. */
async function replaceDevice({ admin, dice, host, people, hire }: Office, key: string): Promise<void> {
  const email = dice.pick(people);
  const { items } = await admin.call('user.devices', { email });
  if (items.length === 0) return;
  await admin.call('user.unenrol', { key, email, device: dice.pick(items).id });
  const { link } = await admin.call('user.invite', { key: newIdempotencyKey(host), email, device: true });
  // A link is good for one computer, whoever else has it.
  for (let joining = dice.between(1, 2); joining > 0; joining--) hire(email, link);
}

/** Somebody is removed, now or when the last borrow has ended, and comes back with another computer. */
async function replaceUser({ admin, dice, host, people, hire }: Office, key: string): Promise<void> {
  const email = dice.pick(people);
  const removed = await admin.call('user.remove', { key, email, ...dice.pick([{}, { pending: true }]) });
  if (removed.pending !== undefined) {
    await admin.call('user.remove', { key: newIdempotencyKey(host), email, cancel: true });
    return;
  }
  const { link } = await admin.call('user.invite', { key: newIdempotencyKey(host), email });
  hire(email, link);
}

async function makeToken({ admin, dice, host, hire }: Office, key: string): Promise<void> {
  const { token, link } = await admin.call('machine.token.create', { key, name: 'farm', uses: 3 });
  if (!dice.chance(0.5)) return;
  await admin.call('machine.token.revoke', { key: newIdempotencyKey(host), id: token.id });
  // Somebody has the link still.
  if (dice.chance(0.5)) hire('', link);
}

/** A machine is thrown away, and a new one joins by itself. */
async function replaceMachine({ admin, dice, host, hire }: Office, key: string): Promise<void> {
  const { items } = await admin.call('machine.list', {});
  if (items.length > 0 && dice.chance(0.5))
    await admin.call('machine.remove', { key, machine: dice.pick(items).id });
  if (items.length > 3) return;
  const { link } = await admin.call('machine.token.create', { key: newIdempotencyKey(host), name: 'node' });
  hire('', link);
}

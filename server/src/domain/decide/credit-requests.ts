import { limits } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import type { CreditGrant, CreditRequest } from '../credit-rows.js';
import { creditDay, creditInfo, grantOf, usedIn } from '../credits.js';
import type { State } from '../state.js';
import { granted, isSame } from './credits.js';
import { userUnknown } from './denial.js';
import { deviceOf } from './grant.js';

/** Somebody wants to spend more than they may: admins are told (mails.ts). One question at a time. */
export function askCredits(
  state: State,
  { by, credits, note }: Command<'askCredits'>,
  context: Context,
): Decision<'askCredits'> {
  if (context.diskLow) return deny('DISK_LOW');
  const device = deviceOf(state, by);
  if ('ok' in device) return device;
  const { email } = device;
  if (device.machine !== undefined)
    return deny('NOT_ALLOWED', 'A machine belongs to nobody, and spends none.');
  const open = state.tables.creditRequest.get(email);
  if (open !== undefined && open.answer === undefined)
    return deny('CREDIT_REQUEST_OPEN', undefined, { credits: open.credits, sinceMs: open.madeAtMs });
  const request: CreditRequest = {
    ...{ id: context.newId('q'), email, credits, note, madeAtMs: context.now.wallMs },
  };
  return { ok: true, changes: [{ type: 'credit.asked', request }], outcome: { id: request.id, credits } };
}

/** Yes or no; yes without a limit gives as much more as was asked for. */
export function answerCredits(
  state: State,
  { email, id, approve, grant, note, by }: Command<'answerCredits'>,
  context: Context,
): Decision<'answerCredits'> {
  if (!state.tables.user.has(email)) return userUnknown(state, email);
  const request = state.tables.creditRequest.get(email);
  if (request === undefined || (id !== null && request.id !== id))
    return deny('CREDIT_REQUEST_UNKNOWN', undefined, { email });
  if (request.answer !== undefined) {
    const { by: who, approved } = request.answer;
    const message = `${who} has ${approved ? 'approved' : 'denied'} it already.`;
    return deny('CREDIT_REQUEST_UNKNOWN', message, { email, answer: request.answer });
  }
  const before = grantOf(state, email);
  const after = approve ? (grant ?? more(state, request, before, context)) : before;
  const atMs = context.now.wallMs;
  const answer = { approved: approve, by: by.email, atMs, note };
  const changes: Change[] = [{ type: 'credit.answered', email, answer }];
  if (!isSame(after, before)) changes.push(granted(email, after, by.email, atMs));
  const credits = creditInfo(state, email, context.now, after);
  return { ok: true, changes, outcome: { email, approved: approve, credits } };
}

/** So that what was asked for can be spent on top of what was possible before. */
function more(
  state: State,
  { email, credits }: CreditRequest,
  grant: CreditGrant,
  { now }: Context,
): CreditGrant {
  if (grant.access === 'unlimited') return grant;
  const per = grant.access === 'limited' ? grant.per : 'total';
  // A limit below what was spent leaves nothing: what was asked for counts from there.
  const used = usedIn(state, email, per, creditDay(now));
  const from = grant.access === 'limited' ? Math.max(grant.limit, used) : used;
  return { access: 'limited', limit: Math.min(limits.creditLimit, from + credits), per };
}

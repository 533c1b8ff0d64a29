import { errors, type ResultOf } from '@berth/protocol';
import type { Context } from '../commands.js';
import { usageOf } from '../pools.js';
import type { State } from '../state.js';
import { assign } from './allocation.js';
import { shellWord } from './shell-word.js';
import type { Question } from './why.js';

type AllocatedTo = NonNullable<ResultOf<'user.why'>['allocatedTo']>;

/** What an admin can do about a refusal, a sentence each; and whom a seat could be moved from. */
export interface Advice {
  readonly advice: string[];
  readonly allocatedTo: AllocatedTo;
}

/** Refusals that seats which are set aside for the user would lift, or that `assign` knows more of. */
const advised: ReadonlySet<unknown> = new Set([
  'ALL_IN_USE',
  'ALLOCATED_TO_OTHERS',
  'SHARING_OFF',
  'NOT_ENTITLED',
]);

/**
 * Asks what an assignment would be told, and changes nothing.
 * @param by the admin who would assign
 * @param unused seats that are set aside for the user already and not in use
 */
export function adviceOn(
  state: State,
  { email, product, seats }: Question,
  { rule, unused }: { readonly rule: unknown; readonly unused: number },
  context: Context,
): Advice {
  const none = { advice: [], allocatedTo: [] };
  if (!advised.has(rule) || unused >= seats) return none;
  const quantity = seats - unused;
  const by = { device: '', email: '' };
  const request = { device: '', key: '', hash: '' };
  const command = { type: 'assign', by, request, email, product, quantity, endMs: null } as const;
  const decision = assign(state, command, context);
  const { owned, allocated } = usageOf(state, product, context.now);
  const sharing =
    rule === 'SHARING_OFF' && owned - allocated >= seats
      ? [`To share them: berth sharing on --product ${product}`]
      : [];
  if (decision.ok) {
    const many = quantity === 1 ? '' : ` --quantity ${quantity}`;
    const when = rule === 'ALL_IN_USE' ? ', so that what comes free next is theirs' : '';
    return {
      ...none,
      advice: [
        ...sharing,
        `To set ${quantity === 1 ? 'a seat' : `${quantity} seats`} aside for ${email}${when}: berth license assign ${shellWord(email)} ${product}${many}`,
      ],
    };
  }
  const { code, message, next, detail } = decision;
  const allocatedTo = Array.isArray(detail?.allocatedTo) ? (detail.allocatedTo as AllocatedTo) : [];
  return {
    allocatedTo,
    advice: [...sharing, `${message ?? errors[code].text} ${next ?? errors[code].next}`],
  };
}

import { type CreditAccess, type CreditInfo, type CreditPer, limits } from '@berth/protocol';
import { Failure, usage } from './fail.js';
import { optional, parseCount, quote } from './parse.js';

// How credits are said to people, and what they type of them.

export const periods: readonly CreditPer[] = ['day', 'month', 'year', 'total'];

/** What somebody may spend: a limit and its period, or one of two words. */
export const grantOptions = {
  per: {
    type: 'string',
    choices: periods,
    describe: 'how long until the limit begins anew, by UTC days (default: total, never)',
  },
} as const;

/** `unlimited`, `disabled`, or the most in a period. */
export function parseGrant(text: string, per: string | undefined): CreditAccess {
  const word = text.trim().toLowerCase();
  if (word === 'unlimited' || word === 'disabled') {
    if (per !== undefined) throw usage(`What is ${word} has no period.`, 'Leave out --per.');
    return { access: word };
  }
  const isNumber = /^\d{1,16}$/.test(word) && Number(word) <= limits.creditLimit;
  if (!isNumber)
    throw new Failure('CREDIT_LIMIT_INVALID', { message: `${quote(text)} is no limit of credits.` });
  return { access: 'limited', limit: Number(word), per: (per as CreditPer | undefined) ?? 'total' };
}

export function optionalGrant(text: string | undefined, per: string | undefined): CreditAccess | undefined {
  if (text === undefined && per !== undefined)
    throw usage('--per belongs to a limit.', 'Give the limit too, or leave out --per.');
  return optional(text, (given) => parseGrant(given, per));
}

export function parseCredits(text: string): number {
  return parseCount(text, 'CREDITS', 1, limits.creditsAtOnce);
}

/** `100 a month`, `100 in all`, `unlimited`, `disabled` */
export function accessWords({ access, limit, per }: CreditAccess): string {
  if (access !== 'limited') return access;
  return per === 'total' ? `${limit} in all` : `${limit} a ${per}`;
}

/** The same with what is spent and left of it. */
export function creditWords(credits: CreditInfo): string {
  const { access, spent, used, left, per } = credits;
  if (access === 'disabled') return spent === 0 ? 'disabled' : `disabled; ${spent} were spent before`;
  const period = access === 'limited' && per !== 'total' ? ` this ${per}` : '';
  return `${accessWords(credits)}; ${used} spent${period}, ${left} can be spent now`;
}

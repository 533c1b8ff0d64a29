import { dayStartMs } from '@berth/protocol';
import type { Context } from '../context.js';
import { usage } from '../fail.js';
import { given, optional, parseDurationSeconds, parseProduct, quote } from '../parse.js';

/** What to look for, the same for the list and for who watches. */
export const filterOptions = {
  user: { type: 'string', describe: 'only what this user did, or what was done to them' },
  by: { type: 'string', describe: 'only what this user did' },
  product: { type: 'string', describe: 'only what concerns this product' },
  kind: { type: 'string', describe: 'only this kind of change, as listed: lease.granted, or all of lease' },
  people: {
    type: 'boolean',
    default: false,
    describe:
      'only what somebody asked for, not what the server did by itself: mails it sent, seats that ended',
  },
} as const;

export const timeOptions = {
  since: {
    type: 'string',
    describe: 'only from then on: a UTC day, a moment (2026-03-01T14:00Z), or how long ago (2h, 7d)',
  },
  until: { type: 'string', describe: 'only before then, in the same way' },
} as const;

interface FilterArgs {
  readonly user: string | undefined;
  readonly by: string | undefined;
  readonly product: string | undefined;
  readonly kind: string | undefined;
  readonly people: boolean;
}

interface TimeArgs {
  readonly since: string | undefined;
  readonly until: string | undefined;
}

/** @throws Failure USAGE */
export function parseFilter({ user, by, product, kind, people }: FilterArgs) {
  return given({
    user: optional(user, (text) => parsePerson(text, '--user')),
    by: optional(by, (text) => parsePerson(text, '--by')),
    product: optional(product, (text) => parseProduct(text, '--product')),
    kind: optional(kind, parseKind),
    people: people || undefined,
  });
}

/** @throws Failure USAGE */
export function parseTimes(context: Pick<Context, 'nowMs'>, { since, until }: TimeArgs) {
  const moment = (option: string) => (text: string) => parseMoment(text, option, context.nowMs());
  const times = { sinceMs: optional(since, moment('--since')), untilMs: optional(until, moment('--until')) };
  if (times.sinceMs !== undefined && times.untilMs !== undefined && times.untilMs <= times.sinceMs)
    throw usage(
      `--until ${quote(until ?? '')} is not after --since ${quote(since ?? '')}: there is no moment between them.`,
      'Give a later --until, which is itself not part, or an earlier --since.',
    );
  return given(times);
}

/** Somebody who is no member any more too, or a machine: the server looks for what it is given. */
function parsePerson(text: string, option: string): string {
  const person = text.trim();
  if (person !== '' && person.length <= 400) return person;
  throw usage(`${option} is empty or too long.`, 'Give an e-mail address, a login name or machine:ID.');
}

function parseKind(text: string): string {
  if (/^[A-Za-z]+(\.[A-Za-z]+)?$/.test(text)) return text;
  throw usage(
    `--kind ${quote(text)} is no kind of change.`,
    'Give one as listed (user.put), or its first word (user).',
  );
}

function parseMoment(text: string, option: string, nowMs: number): number {
  const day = dayStartMs(text);
  if (day !== null) return day;
  if (/^\d+\s*[a-z]+$/i.test(text)) return Math.max(0, nowMs - parseDurationSeconds(text, option) * 1000);
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isSafeInteger(ms) && ms >= 0) return ms;
  throw usage(
    `${option} ${quote(text)} is no moment.`,
    'Give a UTC day (2026-03-01), a moment with its zone (2026-03-01T14:00Z), or how long ago (2h, 7d).',
  );
}

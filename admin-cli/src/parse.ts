import { canonicalAlias, canonicalEmail, canonicalName, dayStartMs, limits } from '@berth/protocol';
import { Failure, usage } from './fail.js';

// What people type, made into values with units. Each throws a usage failure that says what was given and what is wanted.

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** `30s`, `10m`, `2h`, `3d`, `1w`, or several of them in a row (`1d12h`), as seconds. */
export function parseDurationSeconds(text: string, option: string): number {
  const wrong = usage(
    `${option} ${quote(text)} is not a length of time.`,
    'Write a number and a unit: 30s, 10m, 2h, 3d or 1w.',
  );
  if (text === '0') return 0;
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) throw wrong;
  let seconds = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw])/g)) {
    seconds += Number(digits) * unitSeconds[unit as keyof typeof unitSeconds];
  }
  if (!Number.isSafeInteger(seconds * 1000)) throw wrong;
  return seconds;
}

/** A whole number of at least `least` and at most `most`. @param or what else may be given, for the message: ` or off` */
export function parseCount(text: string, option: string, least: number, most: number, or = ''): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(
    `${option} ${quote(text)} is not a whole number from ${least} to ${most}${or}.`,
    `Give ${option} such a number${or}.`,
  );
}

/** Seats of one checkout or borrow. */
export function parseSeats(text: string, option = '--seats'): number {
  return parseCount(text, option, 1, limits.seatsPerCheckout);
}

/** A UTC day that exists, `YYYY-MM-DD`, as it was written. */
export function parseDay(text: string, option: string): string {
  const day = text.trim();
  if (dayStartMs(day) === null) {
    throw new Failure('DATE_INVALID', { message: `${option} ${quote(text)} is not a day that exists.` });
  }
  return day;
}

export function parseProduct(text: string, option: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,79}$/.test(text)) return text;
  throw usage(
    `${option} ${quote(text)} is not a product id.`,
    'A product id has small letters, digits, dots, hyphens and underscores, and at most 80 of them.',
  );
}

/** The id of an entitlement, a lease or a borrow. */
export function parseId(text: string, option: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$/.test(text)) return text;
  throw usage(
    `${option} ${quote(text)} is not an id.`,
    'An id starts with a letter or digit and has at most 80 letters, digits and . _ : -',
  );
}

/** What a vendor called something, as it is looked for: a number, a currency. */
export function parseLabel(text: string, option: string): string {
  const label = text.trim();
  if (label !== '' && label.length <= 400) return label;
  throw usage(
    `${option} ${quote(text)} is ${label === '' ? 'empty' : 'too long'}.`,
    `Give ${option} as in \`berth subscription list\`, or leave it out.`,
  );
}

/** The canonical form of an e-mail address: a bad one is refused before anything is sent. */
export function parseEmail(text: string): string {
  const email = canonicalEmail(text);
  if (email === null)
    throw new Failure('EMAIL_INVALID', { message: `${quote(text)} is not an e-mail address.` });
  return email;
}

/** A member by e-mail, or by a login name of theirs: the server knows which. */
export function parseUser(text: string): string {
  if (!text.includes('@') && canonicalAlias(text) !== null) return text.trim();
  return parseEmail(text);
}

export function parseName(text: string): string {
  const name = canonicalName(text);
  if (name === null) {
    throw new Failure('NAME_INVALID', {
      message: `${quote(text)} has characters that a name may not have, or too many.`,
    });
  }
  return name;
}

/** The value of an option that may be left out. */
export function optional<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined ? undefined : parse(text);
}

/** The object without the members that are undefined: the wire has no such value. */
export function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const said = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** In quotes, and cut short: what was typed may be a whole file. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

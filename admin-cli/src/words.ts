// How moments and spans of time are said to people: in their own time zone and in English. JSON carries milliseconds instead.

import { late } from './late.js';

const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const clock = late(() => new Intl.DateTimeFormat('en-GB', hours));
const clockSeconds = late(() => new Intl.DateTimeFormat('en-GB', { ...hours, second: '2-digit' }));
const date = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
const calendar = late(() => new Intl.DateTimeFormat('en-GB', date));

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A moment as a sentence says it: `today at 14:32 (in 5 min)`. Both in milliseconds since 1970. */
export function momentWords(ms: number, nowMs: number): string {
  const away = Math.abs(ms - nowMs);
  const time = (away < 2 * minuteMs ? clockSeconds() : clock()).format(ms);
  if (away < 1000) return `now (${time})`;
  const span = ms > nowMs ? `in ${spanWords(away)}` : `${spanWords(away)} ago`;
  return `${dayWords(ms, nowMs)} at ${time} (${span})`;
}

/** The same after `until` and `since`: not "until on Friday". */
export function untilWords(ms: number, nowMs: number): string {
  return momentWords(ms, nowMs).replace(/^on /, '');
}

function dayWords(ms: number, nowMs: number): string {
  const names = new Map([
    [dayOf(nowMs), 'today'],
    [dayOf(nowMs, 1), 'tomorrow'],
    [dayOf(nowMs, -1), 'yesterday'],
  ]);
  return names.get(dayOf(ms)) ?? `on ${calendar().format(ms)}`;
}

/** The local calendar day, moved by whole days so that a change to summer time does not skip or repeat one. */
function dayOf(ms: number, plusDays = 0): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + plusDays).getTime();
}

/** A span in its two largest units, rounded: `45 s`, `5 min`, `2 h 5 min`, `3 d 4 h`. */
export function spanWords(ms: number): string {
  if (ms < 2 * minuteMs) return `${Math.max(1, Math.round(ms / 1000))} s`;
  const minutes = Math.round(ms / minuteMs);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return inTwo(minutes, 60, 'h', 'min');
  return inTwo(Math.round(ms / hourMs), 24, 'd', 'h');
}

function inTwo(smalls: number, perLarge: number, large: string, small: string): string {
  const rest = smalls % perLarge;
  return `${Math.floor(smalls / perLarge)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

/** A moment as a table shows it: local time, `2026-03-01 14:32`. */
export function momentCell(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function seatWords(seats: number): string {
  return `${seats} ${seats === 1 ? 'seat' : 'seats'}`;
}

/** Days of a subscription, today included. */
export function daysLeftWords(days: number): string {
  return `${days} ${days === 1 ? 'day' : 'days'} left`;
}

/** A path as a shell takes it, whole: what is shown as a command is pasted. */
export function shellQuote(path: string): string {
  const plain = path.startsWith('-') ? `./${path}` : path;
  return /^[\w./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}

import type { Entry } from '../auditor/history.js';
import type { Site } from './site.js';

const SHOWN = 30;
/** Of what names an id that the violation names: how it began, and what came of it last. */
const FIRST = 3;
const LAST = 5;
/** A fault this long before such an event may have to do with it. */
const NEAR_MS = 30_000;
/** Ids of leases, seats and devices, as the simulated server makes them. */
const ids = /\b[a-z][0-9a-f]{20}\b/g;

interface Event {
  readonly atMs: number;
  readonly text: string;
  readonly isFault: boolean;
}

/**
 * The last events before the moment that a violation speaks of, and those before them about what it names with the faults near them, a line each: simulated
 * time, process, and what happened. A line of three dots stands for what is left out.
 */
export function eventsBefore(
  site: Pick<Site, 'entries' | 'told'>,
  violation: string | null,
): { readonly atMs: number | null; readonly lines: readonly string[] } {
  if (violation === null) return { atMs: null, lines: [] };
  const atMs = momentOf(site, violation);
  const untilMs = atMs ?? Number.POSITIVE_INFINITY;
  const events = [
    ...site.entries.map((entry) => ({
      atMs: entry.t,
      text: `${entry.process} ${words(entry)}`,
      isFault: false,
    })),
    ...site.told.map((fault) => ({ atMs: fault.atMs, text: `-- ${fault.text}`, isFault: true })),
  ].filter((event) => event.atMs <= untilMs);
  events.sort((a, b) => a.atMs - b.atMs);
  const shown = shownOf(events, new Set(violation.match(ids) ?? []));
  const lines = shown.flatMap((at, index) => {
    const { atMs: t, text } = events[at]!;
    const line = `${Math.round(t)} ms ${text}`;
    return at > (shown[index - 1] ?? -1) + 1 ? ['...', line] : [line];
  });
  return { atMs, lines };
}

/** Which of the events, by their place, in order. */
function shownOf(events: readonly Event[], named: ReadonlySet<string>): number[] {
  const shown = new Set<number>();
  for (const id of named) {
    const about = [...events.keys()].filter((at) => events[at]!.text.includes(id));
    for (const at of [...about.slice(0, FIRST), ...about.slice(-LAST)]) {
      shown.add(at);
      for (let near = at - 1; near >= 0 && events[near]!.atMs >= events[at]!.atMs - NEAR_MS; near--)
        if (events[near]!.isFault) shown.add(near);
    }
  }
  for (let at = Math.max(0, events.length - SHOWN); at < events.length; at++) shown.add(at);
  return [...shown].sort((a, b) => a - b);
}

/** The moment it names, or the last at which anything was heard of what it names. */
function momentOf(site: Pick<Site, 'entries'>, violation: string): number | null {
  const named = namedMoment(violation);
  if (named !== null) return named;
  const found = violation.match(ids) ?? [];
  const about = site.entries.filter((entry) => found.some((id) => JSON.stringify(plain(entry)).includes(id)));
  return about.at(-1)?.t ?? null;
}

/** `5 ms:` in front, or `at 5 ms`; not how long something took. @returns ms of simulated time, or `null` where a violation names none */
export function namedMoment(violation: string): number | null {
  const named = /^(\d+) ms:|\b(?:at|since) (\d+) ms\b/.exec(violation);
  return named === null ? null : Number(named[1] ?? named[2]);
}

function words(entry: Entry): string {
  const { t: _, wallMs: __, process: ___, event, ...rest } = plain(entry);
  return `${event} ${JSON.stringify(rest)}`;
}

/** Tokens as what they say. */
function plain(
  entry: Entry,
): Record<string, unknown> & { event: string; t: number; wallMs: number; process: string } {
  const short = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(short);
    return typeof value === 'string' ? (claimsOf(value) ?? value) : value;
  };
  return Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, short(value)])) as ReturnType<
    typeof plain
  >;
}

function claimsOf(text: string): Record<string, unknown> | null {
  const [, payload, signature] = text.split('.');
  if (payload === undefined || signature?.length !== 86) return null;
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const { jti, seat, n, kind, product, seats, iat, exp } = claims;
  return { jti, seat, n, kind, product, seats, iat, exp };
}

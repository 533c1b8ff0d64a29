import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// What the auditor judges: JSON lines that the processes of a site wrote while they ran (test/system/tap.ts). Nothing of Berth is
// imported in this folder: whoever checks the server must not share its mistakes.

/** When and where. */
export interface Moment {
  /** Milliseconds on the monotonic clock that every process of a machine shares (`process.hrtime`). */
  readonly t: number;
  /** Milliseconds since 1970, read together with `t`. */
  readonly wallMs: number;
  readonly process: string;
}

export type Happening =
  /** The process proved this lease key to the server. */
  | { readonly event: 'session'; readonly device: string }
  /** Written just before a frame leaves, retries too. */
  | {
      readonly event: 'request';
      readonly method: string;
      readonly key?: string;
      readonly nonce?: string;
      /** Of what a machine asked for in a file: when, by its own clock. */
      readonly signedAtMs?: number;
      /** Of a checkout: what it asks for. */
      readonly wants?: readonly { readonly products: readonly string[]; readonly seats: number }[];
      /** Of a renewal: what its plugins leave idle, and since when. */
      readonly idle?: readonly { readonly lease: string; readonly seconds: number }[];
      /** Of a `credit.consume`. */
      readonly credits?: number;
      /** Of what changes something and only an admin may: all that was asked. */
      readonly office?: Readonly<Record<string, unknown>>;
      /** Of a checkpoint or a prune: the record that it is to be of. */
      readonly until?: number;
    }
  /** The answer to a request with a key, as text, but for the entitlements that come along with it. */
  | {
      readonly event: 'result';
      readonly method: string;
      readonly key: string;
      readonly text: string;
      /** Of a `credit.consume`: how many were asked for. */
      readonly credits?: number;
    }
  /** Tokens that arrived. `key` is that of the request they answer, if it had one. */
  | {
      readonly event: 'answer';
      readonly method: string;
      readonly key?: string;
      readonly leases: readonly string[];
      readonly entitlements: readonly string[];
    }
  /** Written just before the frame leaves: the client has stopped. `stopped`: with signed stops. */
  | {
      readonly event: 'released';
      readonly leases: readonly string[];
      readonly stopped: boolean;
      readonly stops?: readonly string[];
    }
  | { readonly event: 'returned'; readonly leases: readonly string[]; readonly stops?: readonly string[] }
  /** The server's word that it took a release or a return. */
  | { readonly event: 'confirmed'; readonly leases: readonly string[] }
  /** An entitlement the server accepted, asked for at `sentAt`, with that idempotency key. */
  | {
      readonly event: 'imported';
      readonly entitlement: string;
      readonly sentAt: number;
      readonly key?: string;
    }
  /** Written before the frame leaves that asks for its removal, or takes a pending one back: until there is an answer either may hold. */
  | { readonly event: 'removing'; readonly id: string }
  | { readonly event: 'removed'; readonly id: string }
  /** Its pending removal was taken back. */
  | { readonly event: 'kept'; readonly id: string }
  /** The server was made of a backup: these are the entitlements that it has. */
  | { readonly event: 'restored'; readonly entitlements: readonly string[] }
  /** A vendor key endorsed another one, and the server took note of it or told of it. */
  | { readonly event: 'endorsed'; readonly endorsement: string }
  /** The answer to a question for the pools asked at `sentAt`. */
  | { readonly event: 'status'; readonly sentAt: number; readonly pools: readonly PoolSeen[] }
  /** The report of a bulk job, a page of it: rows by their line. */
  | {
      readonly event: 'report';
      readonly job: string;
      readonly ended: boolean;
      readonly rows: readonly { readonly line: number; readonly verdict: string }[];
    }
  /** Whole records of the journal, as they were handed out from `from` on. */
  | {
      readonly event: 'exported';
      readonly from: number;
      readonly records: readonly { readonly seq: number; readonly hash: string }[];
    }
  | { readonly event: 'denied'; readonly method: string; readonly code: string; readonly data?: unknown }
  | {
      readonly event: 'pushed';
      readonly method: string;
      readonly lease?: string;
      /** Of `lease.queued`: the key of the checkout that waits, and its place. */
      readonly checkout?: string;
      readonly position?: number;
    }
  /** What a plugin is told of a seat. `leftMs`: how long it says that it lasts, ms by the clocks of its computer. */
  | {
      readonly event: 'state';
      readonly state: string;
      readonly leases: readonly string[];
      readonly leftMs?: number;
    }
  /** The plugin uses these no more, and is about to say so to whoever gives them back. */
  | { readonly event: 'stopped'; readonly leases: readonly string[] };

export type Entry = Moment & Happening;
export type EntryOf<E extends Happening['event']> = Moment & Extract<Happening, { readonly event: E }>;

export interface PoolSeen {
  readonly product: string;
  readonly owned: number;
  readonly allocated: number;
  readonly shared: number;
  readonly inUse: number;
  readonly borrowed: number;
  readonly held: number;
  readonly free: number;
  readonly over: number;
}

/** Every `*.jsonl` of a folder as one history, by time. */
export function readHistory(folder: string): Entry[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  return byTime(files.flatMap((name) => parseLines(readFileSync(join(folder, name), 'utf8'), name)));
}

/** A process that was killed may leave half a line at the end, and only there. */
export function parseLines(text: string, name: string): Entry[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line, at) => {
    try {
      return JSON.parse(line) as Entry;
    } catch {
      throw new Error(`${name}:${at + 1} is not a line of JSON: ${line.slice(0, 80)}`);
    }
  });
}

export function byTime(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => a.t - b.t);
}

/** Histories by event: two dozen rules ask, each for a few events among tens of thousands. */
const sorted = new WeakMap<
  readonly Entry[],
  { readonly length: number; readonly byEvent: Map<string, Entry[]> }
>();

/** Those of one kind, in the order of the history; a list to read, the same for everybody. A history may grow at its end, but nothing in it may change. */
export function eventsOf<E extends Happening['event']>(
  entries: readonly Entry[],
  event: E,
): readonly EntryOf<E>[] {
  let known = sorted.get(entries);
  if (known === undefined || known.length !== entries.length) {
    known = { length: entries.length, byEvent: byEventOf(entries) };
    sorted.set(entries, known);
  }
  return (known.byEvent.get(event) ?? []) as readonly Entry[] as readonly EntryOf<E>[];
}

function byEventOf(entries: readonly Entry[]): Map<string, Entry[]> {
  const byEvent = new Map<string, Entry[]>();
  for (const entry of entries) {
    const alike = byEvent.get(entry.event);
    if (alike === undefined) byEvent.set(entry.event, [entry]);
    else alike.push(entry);
  }
  return byEvent;
}

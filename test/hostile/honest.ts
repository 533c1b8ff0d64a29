// The honest people, in a process of their own: each holds a seat and renews it ten times a second. Every half second somebody comes in,
// takes a seat and leaves, from the address where the others are; every second somebody from an address that was never seen. Lines on stdin begin and end a phase; each phase is answered with one line of JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { type Keys, keysFromPem, newNonce } from '../system/device-keys.js';
import { Arrivals, type Arrived } from './arrivals.js';
import { deadline, sortedAt } from './measure.js';
import { claimsIn, codeOf, Peer, tokensIn } from './peer.js';

/** What the process is started with. */
export interface HonestFacts {
  readonly host: string;
  readonly port: number;
  readonly devices: readonly (readonly [string, string])[];
}

export interface Phase {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Renewals that brought no lease, and sessions that ended: each is a seat in danger. */
  readonly failed: readonly string[];
  /** From the address of the honest, where others have sessions. */
  readonly newcomers: Arrived;
  /** Each from an address of its own that the server never saw. */
  readonly firstTimers: Arrived;
  /** How late this process itself was, ms: what the server is not to blame for. */
  readonly ownDelayP99Ms: number;
}

const RENEW_EVERY_MS = 100;
const COMES_IN_EVERY_MS = 500;
const FIRST_TIME_EVERY_MS = 1_000;
/** So many devices: who gives up after 5 s is gone before the next one has its turn. */
const FIRST_TIMERS = 8;
/** As the SDK waits for a renewal at the least. */
const ANSWER_MS = 5_000;

const { devices, ...target } = JSON.parse(process.argv[2] ?? '{}') as HonestFacts;
const delay = monitorEventLoopDelay({ resolution: 5 });
let [renewals, failed]: [number[], string[]] = [[], []];
let [phases, addresses] = [0, 0];
const [newcomers, firstTimers] = [new Arrivals(target), new Arrivals(target)];
/** Lease -> whose it is, and its first token. */
const leases = new Map<string, { readonly device: string; readonly token: string }>();

const people = devices.map(([text, pem]) => keysFromPem(text, pem));
const newcomer = people.pop()!;
const strangers = people.splice(-FIRST_TIMERS);
for (const [at, keys] of people.entries()) await work(keys, at);
setInterval(() => void newcomers.comeIn(newcomer, target.host), COMES_IN_EVERY_MS);
setInterval(
  () => void firstTimers.comeIn(strangers[addresses % FIRST_TIMERS]!, newAddress()),
  FIRST_TIME_EVERY_MS,
);
delay.enable();
say({ event: 'ready', leases: Object.fromEntries(leases) });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'begin') begin();
  else say({ event: 'phase', nth: ++phases, ...end() });
}
process.exit(0);

/** One person: a seat, renewed for ever. */
async function work(keys: Keys, at: number): Promise<void> {
  const peer = await Peer.open(target, keys);
  const granted = await peer.ask('lease.checkout', {
    ...{ key: newNonce(), nonce: newNonce(), wants: [{ products: ['render'], seats: 1 }] },
  });
  const lease = claimsIn(granted)[0]?.jti;
  const [token] = tokensIn(granted);
  if (lease === undefined || token === undefined)
    throw new Error(`No seat for an honest client: ${codeOf(granted)}`);
  leases.set(lease, { device: keys.text, token });
  void peer.closed.then((code) => failed.push(`the session of ${at} was closed with ${code}`));
  // Spread, as those of different computers are.
  setTimeout(() => setInterval(() => void renew(peer, lease), RENEW_EVERY_MS), (at * 37) % RENEW_EVERY_MS);
}

async function renew(peer: Peer, lease: string): Promise<void> {
  if (peer.isClosed) return;
  const since = performance.now();
  const answer = await deadline(peer.ask('lease.renew', { nonce: newNonce() }), ANSWER_MS);
  renewals.push(performance.now() - since);
  if (answer === null) failed.push(`a renewal of ${lease} had no answer in ${ANSWER_MS} ms`);
  else if (claimsIn(answer)[0]?.jti !== lease)
    failed.push(`a renewal of ${lease} brought ${codeOf(answer) ?? JSON.stringify(answer.result)}`);
}

/** An address that no client of this run had before. */
function newAddress(): string {
  const at = addresses++;
  return `127.77.${Math.floor(at / 250)}.${1 + (at % 250)}`;
}

function begin(): void {
  [renewals, failed] = [[], []];
  newcomers.begin();
  firstTimers.begin();
  delay.reset();
}

function end(): Phase {
  return {
    samples: renewals.length,
    p50Ms: sortedAt(renewals, 0.5),
    p99Ms: sortedAt(renewals, 0.99),
    maxMs: sortedAt(renewals, 1),
    failed: [...new Set(failed)],
    newcomers: newcomers.arrived,
    firstTimers: firstTimers.arrived,
    ownDelayP99Ms: Math.round((delay.percentile(99) / 1e6 - 5) * 10) / 10,
  };
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

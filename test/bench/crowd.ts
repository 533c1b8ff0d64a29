// Ten thousand people, in a process of their own: `node crowd.js '{…}'`. Each has a session over TLS, from one of many addresses, and a seat.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { claimsIn, codeOf, type Frame, Peer } from '../hostile/peer.js';
import { type Keys, keysFromPem, newNonce } from '../system/device-keys.js';
import type { CrowdFacts, CrowdOrder, Returned, Worked } from './crowd-orders.js';
import type { Handed } from './orders.js';
import { percentile } from './statistics.js';
import { Verifier } from './verifier.js';

/** People at one address: a floor of a studio. */
const AT_AN_ADDRESS = 200;
/** Connections that are being made at once. */
const CONNECTING = 32;
/** Somebody who has no seat yet comes so often while the others return. */
const NEWCOMER_EVERY_MS = 500;
/** The last devices are those of newcomers. */
const NEWCOMERS = 50;
const TRY_AGAIN_MS = 100;

interface Person {
  readonly keys: Keys;
  readonly from: string;
  peer: Peer | null;
  lease: string;
}

const facts = JSON.parse(process.argv[2] ?? '{}') as CrowdFacts;
const devices = JSON.parse(readFileSync(facts.devicesFile, 'utf8')) as [string, string][];
const everybody: Person[] = devices.map(([key, pem], at) => ({
  ...{ keys: keysFromPem(key, pem), from: addressOf(at), peer: null, lease: '' },
}));
const newcomers = everybody.splice(-NEWCOMERS);
const verifier = new Verifier(facts);
const granted: string[] = [];
let latencies: number[] = [];
let nth = 0;
let failures = 0;

for await (const text of createInterface({ input: process.stdin })) {
  const result = await obey(JSON.parse(text) as CrowdOrder);
  process.stdout.write(`${JSON.stringify({ event: 'done', nth: ++nth, ...result })}\n`);
}
process.exit(0);

async function obey(order: CrowdOrder): Promise<object> {
  if (order.do === 'come') return come();
  if (order.do === 'work') return work(order.ms);
  if (order.do === 'return') return comeBack();
  await inTurn([...everybody, ...newcomers], leave);
  const handed: Handed = { granted };
  writeFileSync(order.file, JSON.stringify(handed));
  return {};
}

function addressOf(at: number): string {
  const address = Math.floor(at / AT_AN_ADDRESS);
  return `127.88.${Math.floor(address / 250)}.${1 + (address % 250)}`;
}

async function inTurn<T>(all: readonly T[], visit: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) await visit(all[next++]!);
  };
  await Promise.all(Array.from({ length: CONNECTING }, worker));
}

async function come(): Promise<object> {
  await inTurn(everybody, take);
  beginHeartbeats();
  return {};
}

async function take(person: Person): Promise<void> {
  const peer = person.peer ?? (await comeIn(person));
  person.peer = peer;
  const wants = [{ products: ['render'], seats: 1 }];
  const answer = await peer.ask('lease.checkout', { key: newNonce(), nonce: newNonce(), wants });
  const [claims] = claimsIn(answer);
  if (claims === undefined) throw new Error(`No seat: ${codeOf(answer)}`);
  verify(answer);
  granted.push(claims.jti);
  person.lease = claims.jti;
}

/** Spread over the time between two heartbeats, as those of different computers are. */
function beginHeartbeats(): void {
  let at = 0;
  const startedMs = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - startedMs) * everybody.length) / facts.heartbeatMs;
    for (; sent < due; sent++) void renew(everybody[at++ % everybody.length]!);
  }, 4);
}

async function renew({ peer, lease }: Person): Promise<void> {
  if (peer === null || peer.isClosed) return;
  const sinceMs = performance.now();
  const answer = await peer.ask('lease.renew', { nonce: newNonce() });
  latencies.push(performance.now() - sinceMs);
  // One whose server was killed has no answer; that it has its lease is told when it returns.
  if (claimsIn(answer)[0]?.jti !== lease && codeOf(answer) !== 'CONNECTION_LOST') failures++;
  verify(answer);
}

/** One in a hundred of the leases of an answer, and the entitlement that came with it. */
function verify({ result }: Frame): void {
  const leases = (result?.leases ?? []) as readonly (string | { readonly token?: string })[];
  const [entitlement] = (result?.entitlements ?? []) as readonly string[];
  for (const lease of leases) {
    const token = typeof lease === 'string' ? lease : lease.token;
    if (token === undefined) continue;
    verifier.lease(token);
    if (entitlement !== undefined) verifier.entitlement(entitlement);
  }
}

async function work(ms: number): Promise<Worked> {
  latencies = [];
  failures = 0;
  verifier.taken();
  await new Promise<void>((resolve) => {
    const done = () => resolve();
    setTimeout(done, ms);
  });
  if (failures > 0) throw new Error(`${failures} renewals brought no lease`);
  return {
    verified: verifier.taken(),
    ...{ renewals: latencies.length, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) },
  };
}

async function comeBack(): Promise<Returned> {
  const startedMs = performance.now();
  const tookMs: number[] = [];
  let lost = 0;
  verifier.taken();
  const arrivals = arrive();
  await inTurn(everybody, async (person) => {
    const isTheirs = await resume(person);
    tookMs.push(performance.now() - startedMs);
    if (!isTheirs) lost++;
  });
  const { asked, served } = await arrivals.end();
  return {
    ...{ lastMs: Math.max(...tookMs), p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) },
    ...{
      resumed: tookMs.length - lost,
      lost,
      verified: verifier.taken(),
      newcomers: asked,
      newcomersServed: served,
    },
  };
}

/** @returns whether the lease is still the same one */
async function resume(person: Person): Promise<boolean> {
  person.peer?.close();
  person.peer = await comeIn(person);
  const answer = await person.peer.ask('session.resume', { leases: [person.lease], nonce: newNonce() });
  verify(answer);
  return claimsIn(answer)[0]?.jti === person.lease;
}

/** Tries until the server is there and lets it in. */
async function comeIn({ keys, from }: Person): Promise<Peer> {
  for (;;) {
    try {
      return await Peer.open(facts, keys, { from });
    } catch {
      await new Promise<void>((resolve) => {
        const again = () => resolve();
        setTimeout(again, TRY_AGAIN_MS);
      });
    }
  }
}

/** Somebody new every half second, until it is ended. */
function arrive(): { end(): Promise<{ asked: number; served: number }> } {
  const all: Promise<void>[] = [];
  let served = 0;
  const timer = setInterval(() => {
    const person = newcomers[all.length];
    if (person === undefined) return;
    const comes = async (): Promise<void> => {
      person.peer = await comeIn(person);
      await take(person);
      served++;
    };
    all.push(comes());
  }, NEWCOMER_EVERY_MS);
  return {
    end: async () => {
      clearInterval(timer);
      const atTheEnd = { asked: all.length, served };
      await Promise.all(all);
      return atTheEnd;
    },
  };
}

async function leave({ peer, lease }: Person): Promise<void> {
  if (peer === null) return;
  const answer = await peer.ask('lease.release', { key: newNonce(), leases: [lease] });
  if (codeOf(answer) !== null) throw new Error(`A seat could not be given back: ${codeOf(answer)}`);
  peer.close();
}

// The load client, in a process of its own: `node load.js '{…}'`. Orders come on stdin, one line of JSON each, and are answered on stdout.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { rssMiB } from '../hostile/measure.js';
import { Peer } from '../hostile/peer.js';
import { type Keys, keysFromPem } from '../system/device-keys.js';
import { Bearer, bareParams } from './bearer.js';
import { frame, Line } from './line.js';
import type { Connect, Handed, LoadFacts, Measured, Order, Pace, Run } from './orders.js';
import { cpuNs } from './processor.js';
import { percentile } from './statistics.js';

/** Connections that are being made at once: a stranger's address may have 32 without a session. */
const CONNECTING = 16;
/** As often as the crowd looks who is due. */
const PACE_MS = 4;

const facts = JSON.parse(process.argv[2] ?? '{}') as LoadFacts;
const bearer = new Bearer(facts);
let devices: Keys[] | null = null;
let lines: Line[] = [];
let nth = 0;

for await (const text of createInterface({ input: process.stdin })) {
  const order = JSON.parse(text) as Order;
  const result = await obey(order);
  process.stdout.write(`${JSON.stringify({ event: 'done', nth: ++nth, ...result })}\n`);
}
process.exit(0);

async function obey(order: Order): Promise<object> {
  if (order.do === 'connect') {
    await bearer.giveBack(lines);
    for (const line of lines) line.close();
    return connectAll(order);
  }
  if (order.do === 'run') return run(order);
  if (order.do === 'pace') return pace(order);
  await bearer.giveBack(lines);
  for (const line of lines) line.close();
  const handed: Handed = { granted: bearer.granted };
  writeFileSync(order.file, JSON.stringify(handed));
  return {};
}

async function connectAll({ connections, signed = false }: Connect): Promise<Measured> {
  lines = [];
  const latencies: number[] = [];
  const [cpu, sinceMs] = [cpuNs(facts.serverPid), performance.now()];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < connections) {
      const at = next++;
      const line = await connect(at);
      if (signed) await answerTo(line);
      lines[at] = line;
      latencies.push(performance.now() - sinceMs);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING }, worker));
  return measured(latencies, { ms: performance.now() - sinceMs, serverCpuNs: cpuNs(facts.serverPid) - cpu });
}

/** Of the bare loop's `sign`. */
function answerTo(line: Line): Promise<void> {
  return new Promise((resolve) => {
    line.onAnswer = () => resolve();
    line.send(frame('sign', bareParams()));
  });
}

/** As the heartbeats of a crowd are: none waits for another, and what came in the time is counted. */
async function pace({ everyMs, ms }: Pace): Promise<Measured> {
  const latencies: number[] = [];
  const [cpu, sinceMs] = [cpuNs(facts.serverPid), performance.now()];
  let sent = 0;
  const ask = async (line: Line): Promise<void> => {
    const askedMs = performance.now();
    await answerTo(line);
    latencies.push(performance.now() - askedMs);
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passedMs = performance.now() - sinceMs;
      for (; sent < (passedMs * lines.length) / everyMs; sent++) void ask(lines[sent % lines.length]!);
      if (passedMs < ms) return;
      clearInterval(timer);
      resolve();
    }, PACE_MS);
  });
  return measured([...latencies], {
    ms: performance.now() - sinceMs,
    serverCpuNs: cpuNs(facts.serverPid) - cpu,
  });
}

async function connect(at: number): Promise<Line> {
  const { host, port, devicesFile } = facts;
  if (devicesFile === null) return new Line(await bare(), '');
  devices ??= (JSON.parse(readFileSync(devicesFile, 'utf8')) as [string, string][]).map(([key, pem]) =>
    keysFromPem(key, pem),
  );
  const keys = devices[at % devices.length]!;
  const { socket } = await Peer.open({ host, port }, keys);
  return new Line(socket, keys.text);
}

function bare(): Promise<WebSocket> {
  const socket = new WebSocket(`wss://${facts.host}:${facts.port}/`, { rejectUnauthorized: false });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => resolve(socket));
  });
}

async function run(order: Run): Promise<Measured> {
  const latencies: number[] = [];
  let [ms, serverCpuNs, verified] = [0, 0, 0];
  const { atLeast = 0 } = order;
  while (ms < order.ms || (latencies.length < atLeast && ms < 10 * order.ms)) {
    const burst = await bearer.burst(lines, order);
    ms += burst.ms;
    serverCpuNs += burst.serverCpuNs;
    verified += burst.verified;
    for (const each of burst.latenciesMs) latencies.push(each);
  }
  return measured(latencies, { ms, serverCpuNs, verified });
}

function measured(
  latencies: readonly number[],
  rest: { readonly ms: number; readonly serverCpuNs: number; readonly verified?: number },
): Measured {
  return {
    ...{ verified: 0, ...rest, operations: latencies.length, rssMiB: rssMiB(facts.serverPid) },
    ...{ p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) },
  };
}

// Some of the clients, in one process: `node crowd.mjs '{"logs":…}'`. Each has an identity, a folder and connections of its own, and
// makes up its own mind until somebody kills it.
import { setTimeout as pause } from 'node:timers/promises';
import { BerthError, type Client, connect, type Host, type Seat } from '@berth/client';
import { timing } from '@berth/client/internal';
import { step } from '../system/life.js';
import { Random } from '../system/random.js';
import { Gateway } from './gateway.js';
import { tappedHost } from './tapped-host.js';

export interface CrowdOrders {
  readonly logs: string;
  readonly vendorKey: string;
  readonly server: string;
  readonly seed: number;
  readonly members: readonly { readonly name: string; readonly home: string; readonly product: string }[];
}

const upTo = { checkout: 0.45, release: 0.75, borrow: 0.85, giveBack: 0.95 };

/** What no server may ever say, and no client find, however it is killed. */
const unbearable = [
  'INTERNAL',
  'TOKEN_INVALID',
  'KEY_REUSED',
  'PARAMS_INVALID',
  'SERVER_MISMATCH',
  'DEVICE_UNKNOWN',
];

// A round is short: whoever lost the server looks for it again at once. Otherwise the SDK as it is.
Object.assign(timing, { backoffMinMs: 40, backoffMaxMs: 160 });

// Whoever started it is gone, perhaps killed: nobody would end it.
process.stdin.once('end', () => process.exit(1)).resume();
const orders = JSON.parse(process.argv[2]!) as CrowdOrders;
const shared = new Random(orders.seed);
const gateway = new Gateway(orders.server);
process.stdout.write('{"event":"here"}\n');
await Promise.all(orders.members.map((member) => live(member, new Random(shared.between(0, 2 ** 31)))));

async function live(member: CrowdOrders['members'][number], random: Random): Promise<never> {
  const host = tappedHost(orders.logs, member.name, gateway);
  const client = await reach(host, member, random);
  const seats = new Set<Seat>();
  for (;;) {
    await unlessRefused(() => step(client, random, seats, upTo));
    await pause(random.between(100, 900));
  }
}

async function reach(
  host: Host,
  { home, product }: CrowdOrders['members'][number],
  random: Random,
): Promise<Client> {
  for (;;) {
    const options = { host, home, product, servers: [orders.server], vendorKeys: [orders.vendorKey] };
    const client = await unlessRefused(() => connect(options));
    if (client !== undefined) return client;
    await pause(random.between(50, 200));
  }
}

/** Refusals and dead servers are part of life. A fault ends the process, and whoever started it sees that. */
async function unlessRefused<T>(deed: () => Promise<T>): Promise<T | undefined> {
  try {
    return await deed();
  } catch (error) {
    if (error instanceof BerthError && !unbearable.includes(error.code)) return undefined;
    throw error;
  }
}

// A plugin as a process of its own: `node plugin.js '{"product":…,"vendorKey":…}'`. It does what lines on its stdin say and answers each
// with a line of JSON; with `"chaos": seed` it makes up its own mind instead (chaos.ts) until somebody kills it.
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import {
  BerthError,
  type BundlePart,
  type Client,
  connect,
  type QueuedNotice,
  type Seat,
} from '@berth/client';
import { chaos } from './chaos.js';

export interface Orders {
  /** Several: in order of preference. */
  readonly product: string | readonly string[];
  readonly vendorKey: string;
  readonly chaos?: number;
}

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const client = await reach();
say({ event: 'ready', online: client.online });
if (orders.chaos === undefined) await obey(client);
else await chaos(client, orders.chaos);

/** One that makes up its own mind comes in while the server is being killed: it tries until it is there. */
async function reach(): Promise<Client> {
  for (;;) {
    try {
      return await connect({ product: orders.product, vendorKeys: [orders.vendorKey] });
    } catch (error) {
      if (orders.chaos === undefined || !(error instanceof BerthError) || !error.retryable) throw error;
      await pause(200);
    }
  }
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** One seat at most, so that an order need not name it. */
async function obey(held: Client): Promise<void> {
  let seat: Seat | null = null;
  const orderly: Record<string, (words: string[]) => Promise<object>> = {
    checkout: async ([seats = '1', wait = '0', ...parts]) => {
      const what = parts.length === 0 ? { seats: Number(seats) } : { bundle: parts.map(partOf) };
      const onQueued = (notice: QueuedNotice) => say({ event: 'queued', ...notice });
      seat = await held.checkout({ ...what, wait: Number(wait), onQueued });
      for (const event of ['grace', 'recovered', 'lost', 'message', 'warning'] as const)
        seat.on(event, (notice) => say({ event, ...notice }));
      return about(seat);
    },
    idle: async ([sinceMs = '0']) => {
      seat?.idle(Number(sinceMs));
      return {};
    },
    active: async () => {
      seat?.active();
      return {};
    },
    state: async () => (seat === null ? {} : about(seat)),
    release: async () => {
      await seat?.release();
      return {};
    },
    borrow: async ([seconds = '3600']) => ({ borrow: await held.borrow({ seconds: Number(seconds) }) }),
    borrows: async () => ({ borrows: await held.borrows() }),
    return: async () => ({ returned: await held.returnBorrow() }),
    online: async () => ({ online: held.online }),
    pool: async () => ({ pool: await held.status() }),
    close: async () => {
      await held.close();
      return {};
    },
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const [order = '', ...words] = line.split(' ');
    try {
      say({ event: 'done', order, ...(await orderly[order]?.(words)) });
    } catch (error) {
      say({ event: 'failed', order, ...faultOf(error) });
    }
    if (order === 'close') break;
  }
  process.stdin.destroy();
}

/** `node,workstation:2`. */
function partOf(word: string): BundlePart {
  const [products = '', seats = '1'] = word.split(':');
  return { product: products.split(','), seats: Number(seats) };
}

function about(seat: Seat): object {
  const { state, kind, product, seats, parts, joined, leaseIds, expiresAtMs } = seat;
  return { state, kind, product, seats, parts, joined, leaseIds, expiresAtMs };
}

function faultOf(error: unknown): object {
  if (!(error instanceof BerthError)) return { code: 'UNEXPECTED', message: String(error) };
  const { code, message, rule, holders, nextFreeAtMs, servers, detail } = error;
  return { code, message, rule, holders, nextFreeAtMs, servers, detail };
}

// A rendering plugin as a process of its own, with the identity in BERTH_HOME: `node plugin.js PRODUCT VENDOR_KEY`. It does what the
// lines on its stdin say, and prints what it sees as lines of JSON; the demo compares.
import { createInterface } from 'node:readline';
import { BerthError, connect, type Seat } from '@berth/client';

const [product = '', vendorKey = ''] = process.argv.slice(2);
const client = await connect({ product, vendorKeys: [vendorKey] });
let seat: Seat | null = null;
let online = client.online;
say({ event: 'connected', online, user: client.me?.user.email ?? null });

// What a plugin would show in its status bar; `online` and `state` are read without I/O.
const looking = setInterval(() => {
  if (client.online === online) return;
  online = client.online;
  say({ event: online ? 'online' : 'offline', state: seat?.state ?? null });
}, 20);

const orders: Readonly<Record<string, (word: string) => Promise<object>>> = {
  checkout: async () => {
    seat = await client.checkout();
    for (const event of ['grace', 'recovered', 'lost'] as const)
      seat.on(event, (notice) => say({ event, ...notice }));
    return about(seat);
  },
  look: async () => (seat === null ? {} : about(seat)),
  release: async () => {
    await seat?.release();
    return { state: seat?.state };
  },
  borrow: async (seconds) => ({ borrow: await client.borrow({ seconds: Number(seconds) }) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', word = ''] = line.split(' ');
  if (order === 'quit') break;
  try {
    say({ event: 'done', order, ...(await orders[order]?.(word)) });
  } catch (error) {
    say({ event: 'failed', order, ...refusal(error) });
  }
}
clearInterval(looking);
process.stdin.destroy();
await client.close();

function about({ state, kind, leaseIds, joined, expiresAtMs }: Seat): object {
  return { state, kind, leaseIds, joined, expiresAtMs };
}

function refusal(error: unknown): object {
  if (!(error instanceof BerthError)) return { code: 'UNEXPECTED', message: String(error) };
  const { code, message, rule, holders, nextFreeAtMs } = error;
  return { code, message, rule, holders, nextFreeAtMs };
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

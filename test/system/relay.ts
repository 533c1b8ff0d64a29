// One seat goes round: `node relay.js '{"product":…,"vendorKey":…,"homes":[…],"rounds":…}'`. Every client is a device of its own; one
// holds the seat and the others wait in line. Each round the holder gives it back and joins the line behind the others. What went
// wrong is printed as one line of JSON.
import { type Client, connect, type QueuedNotice, type Seat } from '@berth/client';

interface Orders {
  readonly product: string;
  readonly vendorKey: string;
  readonly homes: readonly string[];
  readonly rounds: number;
}

interface Runner {
  readonly name: number;
  readonly client: Client;
}

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders;
const { product, vendorKey, homes, rounds } = orders;
const faults: string[] = [];
/** Who got the seat, in the order in which they got it. */
const served: number[] = [];
const seats: Seat[] = [];

async function enter(home: string, name: number): Promise<Runner> {
  return { name, client: await connect({ product, vendorKeys: [vendorKey], home }) };
}

/** Stands in line for certain before it returns. */
async function queue({ name, client }: Runner): Promise<{ seat: Promise<Seat>; place: QueuedNotice }> {
  let told = (_: QueuedNotice): void => {};
  const place = new Promise<QueuedNotice>((resolve) => {
    told = resolve;
  });
  const seat = client.checkout({ wait: 120_000, onQueued: (notice) => told(notice) }).then((got) => {
    served.push(name);
    seats.push(got);
    return got;
  });
  const inLine = await Promise.race([place, seat.then(() => null)]);
  if (inLine === null) throw new Error('It did not have to wait');
  return { seat, place: inLine };
}

const runners = await Promise.all(homes.map(enter));
let holder = { runner: runners[0]!, seat: await runners[0]!.client.checkout() };
seats.push(holder.seat);
const line: { runner: Runner; seat: Promise<Seat> }[] = [];
for (const runner of runners.slice(1)) line.push({ runner, seat: (await queue(runner)).seat });
const startedAtMs = performance.now();
for (let round = 1; round <= rounds; round++) {
  const next = line.shift()!;
  await holder.seat.release();
  const seat = await next.seat;
  if (served.length !== round || served.at(-1) !== next.runner.name)
    faults.push(`round ${round}: ${served.at(-1)} was served, ${next.runner.name} was next`);
  const held = seats.filter(({ state }) => state === 'held' || state === 'grace');
  if (held.length !== 1) faults.push(`round ${round}: ${held.length} holders`);
  seats.splice(0, seats.length, ...held);
  const behind = await queue(holder.runner);
  if (behind.place.position !== line.length + 1)
    faults.push(`round ${round}: told to be number ${behind.place.position} of ${line.length + 1}`);
  line.push({ runner: holder.runner, seat: behind.seat });
  holder = { runner: next.runner, seat };
}
const tookMs = Math.round(performance.now() - startedAtMs);
for (const { seat } of line) seat.catch(() => undefined);
await Promise.all(runners.map(({ client }) => client.close()));
process.stdout.write(`${JSON.stringify({ event: 'over', rounds: served.length, faults, tookMs })}\n`);

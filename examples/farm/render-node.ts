// A farm's wrapper around a renderer: `node render-node.js PRODUCT VENDOR_KEY COMMAND…`. It takes a seat, runs the command, and says by its exit code what the
// farm should do. `berth run` does the same without any code; this is for farms that want to decide for themselves.
import { spawn } from 'node:child_process';
import { BerthError, connect, type Seat } from '@berth/client';

/** What the farm does with a task, by exit code. Anything else is the command's own. */
const exits = {
  /** No seat now, or it was lost on the way: put the task back into the queue. */
  requeue: 75,
  /** It will not work however often it is tried: stop the job and tell somebody. */
  broken: 78,
} as const;

const [product = '', vendorKey = '', command = '', ...words] = process.argv.slice(2);
process.exitCode = await main();

async function main(): Promise<number> {
  try {
    await using client = await connect({ product, vendorKeys: [vendorKey], client: { name: 'render-node' } });
    await using seat = await client.checkout({ wait: Number(process.env.SEAT_WAIT_MS ?? 60_000) });
    return await render(seat);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    const until =
      error.nextFreeAtMs === null
        ? ''
        : ` A seat can be free at ${new Date(error.nextFreeAtMs).toISOString()}.`;
    console.error(`${error.code}: ${error.message}${until} ${error.hint}`);
    return error.retryable ? exits.requeue : exits.broken;
  }
}

/** The exit code of the command; `requeue` when the seat was lost, and with it the right to go on. */
function render(seat: Seat): Promise<number> {
  const renderer = spawn(command, words, { stdio: 'inherit' });
  seat.on('grace', ({ message }) => console.error(`still rendering, but: ${message}`));
  seat.on('lost', ({ message }) => {
    console.error(`the seat is lost, the frame is given up: ${message}`);
    renderer.kill('SIGTERM');
  });
  return new Promise((resolve) => {
    renderer.once('error', ({ message }) => {
      console.error(message);
      resolve(exits.broken);
    });
    renderer.once('exit', (code) => resolve(seat.state === 'lost' ? exits.requeue : (code ?? 1)));
  });
}

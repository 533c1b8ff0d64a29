// `berth` with a client that needs no server, for run.test.ts. SIGUSR2 loses the seat; FAKE_REFUSE names an error of the checkout.
// What happens to the seat is written to the file FAKE_LOG.
import { appendFileSync } from 'node:fs';
import { main } from '@berth/cli/main';
import { nodeContext } from '@berth/cli/node-context';
import { BerthError } from '@berth/client';

const log = (line) => appendFileSync(process.env.FAKE_LOG, `${line}\n`);

const listeners = new Map();
const seat = {
  lost: null,
  on: (event, listener) => {
    listeners.set(event, listener);
    return () => listeners.delete(event);
  },
};
process.on('SIGUSR2', () => {
  seat.lost = {
    code: 'LEASE_REVOKED',
    message: 'The lease was revoked.',
    hint: 'Ask an admin.',
    by: 'o@x.org',
  };
  listeners.get('lost')?.(seat.lost);
});

const client = {
  product: 'render',
  checkout: async ({ seats, wait, signal }) => {
    log(`checkout ${seats} ${wait}`);
    if (process.env.FAKE_REFUSE === 'wait') {
      return await new Promise((_, reject) => {
        const timer = setTimeout(() => {}, 60_000);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(new BerthError('CANCELLED'));
        });
      });
    }
    if (process.env.FAKE_REFUSE) throw new BerthError(process.env.FAKE_REFUSE);
    return seat;
  },
  // Gives the seat back as well.
  close: async () => log('closed'),
};

const context = nodeContext(new AbortController().signal);
process.exitCode = await main(process.argv.slice(2), {
  ...context,
  sdk: { ...context.sdk, connect: async () => client },
});

import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import { Outbox } from '@berth/server/mail/outbox';
import type { Carrier, Message } from '@berth/server/mail/smtp';
import { expect, test } from 'vitest';
import { World } from './domain/world.js';

// When the outbox turns to which mail server. What goes over the wire is in test/system/mail.test.ts, with a real one.

interface Site {
  readonly world: World;
  readonly outbox: Outbox;
  /** Sender and addressee of each message that was handed over. */
  readonly sent: string[];
  /** Where the mail server is; `null`: none is configured, and asking for the sender is a bug. */
  sender: string | null;
  /** What is handed over is not taken. */
  refuses: boolean;
}

/** @param during runs while the first message is at the mail server */
function open(people: readonly string[], during: (site: Site) => void): Site {
  const world = new World();
  for (const name of people) world.user(name);
  const sent: string[] = [];
  const carrier: Carrier = {
    send: async ({ from, to }: Message) => {
      sent.push(`${from.address} ${to}`);
      if (sent.length === 1) during(site);
      return site.refuses
        ? { state: 'deferred', error: '451 later', unsure: false }
        : { state: 'sent', answer: '250' };
    },
    abort: () => {},
    close: () => {},
  };
  const site: Site = {
    world,
    sent,
    sender: 'one@studio.example',
    refuses: false,
    outbox: undefined as never,
  };
  const outbox = new Outbox({
    state: world.state,
    submit: async <T extends CommandType>(command: Command<T>): Promise<Settled<T>> => world.send(command),
    clock: { now: () => world.now },
    open: async () => carrier,
    configured: () => site.sender !== null,
    from: () => {
      if (site.sender === null) throw new Error('nobody sends');
      return { name: 'Studio', address: site.sender };
    },
    letterOf: () => ({ subject: 's', text: 't', html: 'h' }),
    after: () => () => {},
    onEvent: () => {},
    onFatal: (error) => sent.push(`FATAL ${String(error)}`),
  });
  Object.assign(site, { outbox });
  return site;
}

const states = ({ world }: Site) => [...world.state.tables.mail.values()].map(({ state }) => state).sort();

test('mail that is switched off while it sends: the next one waits, and the server goes on', async () => {
  const site = open(['a', 'b'], (now) => {
    now.sender = null;
    now.outbox.reopen();
  });
  site.outbox.wake();
  await expect.poll(() => states(site)).toEqual(['queued', 'sent']);
  await site.outbox.stop();
  expect(site.sent).toHaveLength(1);
  expect(states(site)).toEqual(['queued', 'sent']);
});

test('another mail server while it sends: what comes next goes to that one, from its sender', async () => {
  const site = open(['a', 'b'], (now) => {
    now.sender = 'two@studio.example';
    now.outbox.reopen();
  });
  const all = Promise.all([...site.world.state.tables.mail.keys()].map((id) => site.outbox.sendNow(id)));
  await all;
  await site.outbox.stop();
  expect(site.sent.map((line) => line.split(' ')[0])).toEqual(['one@studio.example', 'two@studio.example']);
  expect(states(site)).toEqual(['sent', 'sent']);
});

test('who asks twice for one mail is answered twice, and it is handed over once', async () => {
  const site = open(['a'], () => {});
  const [id] = site.world.state.tables.mail.keys();
  await Promise.all([site.outbox.sendNow(id!), site.outbox.sendNow(id!)]);
  await site.outbox.sendNow(id!);
  await site.outbox.stop();
  expect(site.sent).toHaveLength(1);
});

test('who asks again for one that was not taken hears so, and it is not handed over out of turn', async () => {
  const site = open(['a'], () => {});
  const [id] = site.world.state.tables.mail.keys();
  site.refuses = true;
  await site.outbox.sendNow(id!);
  await site.outbox.sendNow(id!);
  await site.outbox.stop();
  expect(site.sent).toHaveLength(1);
  expect(states(site)).toEqual(['queued']);
});

test('a stop leaves nobody waiting', async () => {
  const site = open(['a', 'b'], (now) => void now.outbox.stop());
  const [first, second] = [...site.world.state.tables.mail.keys()];
  await Promise.all([site.outbox.sendNow(first!), site.outbox.sendNow(second!)]);
  expect(site.sent).toHaveLength(1);
});

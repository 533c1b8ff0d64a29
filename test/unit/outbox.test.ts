import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import { evolve } from '@berth/server/domain/evolve';
import { letterOf } from '@berth/server/mail/letter';
import { Outbox } from '@berth/server/mail/outbox';
import type { Carrier, Message } from '@berth/server/mail/smtp';
import { expect, test, vi } from 'vitest';
import { DAY_MS, World } from './domain/world.js';

// When the outbox turns to which mail server. What goes over the wire is in test/system/mail.test.ts, with a real one.

interface Site {
  readonly world: World;
  readonly outbox: Outbox;
  /** Sender and addressee of each message that was handed over. */
  readonly sent: string[];
  readonly subjects: string[];
  /** Of who sent them. */
  readonly names: string[];
  /** Where the mail server is; `null`: none is configured, and asking for the sender is a bug. */
  sender: string | null;
  organisation: string;
  /** What is handed over is not taken. */
  refuses: boolean;
  /** Nobody knows whether it was taken. */
  unsure: boolean;
  /** The mail server itself cannot be used. */
  serverFailed: boolean;
  /** What is handed over gets no answer. */
  holds: boolean;
  /** What is to be called back, and has not been called off. */
  readonly timers: { ms: number; then: () => void }[];
}

/** @param during runs while the first message is at the mail server */
function open(people: readonly string[], during: (site: Site) => void): Site {
  const world = new World();
  const invite = { type: 'invite', name: null, role: null, device: false, invitationMs: DAY_MS } as const;
  for (const name of people) world.ok({ ...invite, ...world.admin(), email: `${name}@studio.example` });
  const sent: string[] = [];
  const subjects: string[] = [];
  const names: string[] = [];
  const carrier: Carrier = {
    send: async ({ from, to, subject }: Message) => {
      sent.push(`${from.address} ${to}`);
      subjects.push(subject);
      names.push(from.name);
      if (sent.length === 1) during(site);
      if (site.holds) await new Promise(() => {});
      return site.refuses
        ? { state: 'deferred', error: '451 later', unsure: site.unsure, serverFailed: site.serverFailed }
        : { state: 'sent', answer: '250' };
    },
    abort: () => {},
    close: () => {},
  };
  const site: Site = {
    world,
    sent,
    subjects,
    names,
    sender: 'one@studio.example',
    organisation: 'Studio',
    refuses: false,
    unsure: false,
    serverFailed: false,
    holds: false,
    timers: [],
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
      return site.sender;
    },
    told: () => ({ organisation: site.organisation, name: '' }),
    letterOf: (mail, told) => letterOf(mail, { ...told, link: () => null }),
    after: (ms, then) => {
      const timer = { ms, then };
      site.timers.push(timer);
      return () => void site.timers.splice(site.timers.indexOf(timer), 1);
    },
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

test('a mail server that never answers: whoever asked hears so before they stop listening, and it goes on being sent', async () => {
  const site = open(['a'], () => {});
  const [id] = site.world.state.tables.mail.keys();
  site.holds = true;
  const asked = site.outbox.sendNow(id!);
  await expect.poll(() => states(site)).toEqual(['sending']);
  expect(site.timers.map(({ ms }) => ms)).toEqual([22_000]);
  site.timers[0]!.then();
  await asked;
  expect(states(site)).toEqual(['sending']);
});

test('a stop leaves nobody waiting', async () => {
  const site = open(['a', 'b'], (now) => void now.outbox.stop());
  const [first, second] = [...site.world.state.tables.mail.keys()];
  await Promise.all([site.outbox.sendNow(first!), site.outbox.sendNow(second!)]);
  expect(site.sent).toHaveLength(1);
});

test('the rest after a mail server that cannot be used is by the clock that nobody sets', async () => {
  const site = open(['a', 'b'], (now) => Object.assign(now, { refuses: true, serverFailed: true }));
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(1);
  await expect
    .poll(() => [...site.world.state.tables.mail.values()].some(({ attempts }) => attempts === 1))
    .toBe(true);
  expect(site.outbox.fault).toBe('451 later');
  // The wall clock is set back a year: that is no reason to be silent for one.
  const { now } = site.world;
  site.world.now = { ...now, wallMs: now.wallMs - 365 * DAY_MS, monoMs: now.monoMs + 600_000 };
  const [, second] = [...site.world.state.tables.mail.values()];
  evolve(site.world.state, { type: 'mail.retried', id: second!.id, by: '', atMs: 0 }, 0);
  Object.assign(site, { refuses: false });
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(2);
  await site.outbox.stop();
  expect(site.outbox.fault).toBeNull();
});

test('a subscription that ends: its admins get a mail 60, 30, 7 and 1 days before, each once, and its words say so', async () => {
  const site = open([], () => {});
  const { world } = site;
  const DAYS = 70;
  world.import({ exp: (Math.floor(world.now.wallMs / DAY_MS) + DAYS) * (DAY_MS / 1000) });
  const told: string[] = [];
  for (let day = 1; day < DAYS + 2; day++) {
    world.pass(DAY_MS);
    const waiting = [...world.state.tables.mail.values()].filter(({ state }) => state === 'queued');
    for (const { id } of waiting) await site.outbox.sendNow(id);
    told.push(...site.subjects.splice(0).map((subject) => `${DAYS - day}: ${subject}`));
  }
  await site.outbox.stop();
  expect(told).toEqual([
    '60: Subscription ent-1 ends soon, 60 days left: render (Studio)',
    '30: Subscription ent-1 ends soon, 30 days left: render (Studio)',
    '7: Subscription ent-1 ends soon, 7 days left: render (Studio)',
    '1: Subscription ent-1 ends soon, 1 day left: render (Studio)',
  ]);
  expect(site.sent).toEqual(Array(4).fill('one@studio.example owner@studio.example'));
  expect(new Set(states(site))).toEqual(new Set(['sent']));
});

/** A digest of a bulk job that may leave from now on, as it is when the job has ended. */
function digest(world: World, id: string, to: string, nextAtMs = world.now.wallMs): void {
  const facts = [{ kind: 'removed', by: 'owner@studio.example' }] as const;
  const madeAtMs = world.now.wallMs;
  const mail = { id, to, facts, job: 'j1', state: 'queued', madeAtMs, attempts: 0, nextAtMs } as const;
  evolve(world.state, { type: 'mail.queued', mail }, 0);
}

/** Whom something was handed over to, without the domain. */
const people = ({ sent }: Site) => sent.map((line) => line.split(' ')[1]!.split('@')[0]);
const to = (name: string) => `${name}@studio.example`;

test('a mail of today goes ahead of hundreds of digests that wait, and those go on in the order in which they were due', async () => {
  const site = open([], () => {});
  const digests = Array.from({ length: 300 }, (_, at) => `d${String(at).padStart(3, '0')}`);
  for (const id of [...digests].reverse()) digest(site.world, id, to(id));
  site.world.pass(60_000);
  site.world.ok({ type: 'testMail', ...site.world.admin(), to: to('today') });
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(301);
  await site.outbox.stop();
  expect(people(site)).toEqual(['today', ...digests]);
});

test('however many go ahead, each tenth is the one that has been due longest', async () => {
  const site = open([], () => {});
  for (const id of ['x', 'y', 'z']) {
    digest(site.world, id, to(id));
    site.world.pass(1000);
  }
  for (let at = 0; at < 25; at++) site.world.ok({ type: 'testMail', ...site.world.admin(), to: to('today') });
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(28);
  await site.outbox.stop();
  const places = people(site).flatMap((who, at) => (who === 'today' ? [] : [`${who} ${at}`]));
  expect(places).toEqual(['x 9', 'y 19', 'z 27']);
});

test('one person gets what waits for them in the order in which it was due, and nobody waits for what is not due', async () => {
  const site = open([], () => {});
  const { world } = site;
  digest(world, 'other', to('other'));
  digest(world, 'first', to('anna'));
  digest(world, 'later', to('anna'), world.now.wallMs + 3_600_000);
  world.pass(1000);
  world.ok({ type: 'testMail', ...world.admin(), to: to('anna') });
  world.pass(1000);
  digest(world, 'third', to('anna'));
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(4);
  expect(people(site)).toEqual(['anna', 'anna', 'other', 'anna']);
  expect(site.subjects.slice(0, 2)).toEqual(['You were removed (Studio)', 'A test (Studio)']);
  world.pass(3_600_000);
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(5);
  await site.outbox.stop();
});

test('thousands that wait for their next attempt cost a mail of today nothing', async () => {
  const site = open([], () => {});
  const { world } = site;
  for (let at = 0; at < 3000; at++) digest(world, `d${at}`, to(`p${at}`), world.now.wallMs + 1000 + at);
  for (let at = 0; at < 3000; at++) {
    const mail = { ...world.state.tables.mail.get(`d${at}`)!, id: `s${at}`, to: to('many') };
    const { job: _, ...single } = mail;
    evolve(world.state, { type: 'mail.queued', mail: single }, 0);
  }
  const looks = vi.spyOn(world.state.tables.mail, 'get');
  world.ok({ type: 'testMail', ...world.admin(), to: to('many') });
  looks.mockClear();
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(1);
  await site.outbox.stop();
  expect(looks.mock.calls.length).toBeLessThan(30);
});

test.each([
  ['no mail server', { sender: null }],
  ['one that cannot be used', { refuses: true, serverFailed: true }],
])('%s: a further mail costs no look at the hundreds that wait', async (_, how) => {
  const site = open(['a'], () => {});
  const [first] = [...site.world.state.tables.mail.values()];
  const facts = [{ kind: 'test', by: 'owner@studio.example' }] as const;
  for (let at = 0; at < 300; at++)
    evolve(site.world.state, { type: 'mail.queued', mail: { ...first!, id: `m-${at}`, facts } }, 0);
  Object.assign(site, how);
  site.outbox.wake();
  await expect.poll(() => site.sent.length).toBe(site.sender === null ? 0 : 1);
  await expect.poll(() => states(site).includes('sending')).toBe(false);
  const looks = vi.spyOn(site.world.state.tables.mail, 'get');
  for (let turn = 0; turn < 5; turn++) {
    site.outbox.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(looks.mock.calls.length).toBeLessThan(50);
  looks.mockRestore();
  await site.outbox.stop();
});

test('what may have been taken comes again from the same organisation, in the same words; what was not says what is so now', async () => {
  const site = open(['a'], () => {});
  const [id] = [...site.world.state.tables.mail.keys()];
  const names: string[] = [];
  for (const [organisation, unsure] of [
    ['One', false],
    ['Two', true],
    ['Three', false],
    ['Four', false],
  ] as const) {
    Object.assign(site, { organisation, refuses: organisation !== 'Four', unsure });
    site.world.pass(3_600_000);
    site.outbox.wake();
    await expect.poll(() => site.subjects.length).toBe(names.length + 1);
    await expect.poll(() => site.world.state.tables.mail.get(id!)!.state).not.toBe('sending');
    names.push(`${site.subjects.at(-1)!.replace(/.*\(/, '(')} ${site.names.at(-1)}`);
  }
  await site.outbox.stop();
  expect(names).toEqual(['(One) One', '(Two) Two', '(Two) Two', '(Two) Two']);
});

test('of mails that are due at the same moment the one that was made first goes first, whatever their ids', async () => {
  const site = open([], () => {});
  const { world } = site;
  const seats = { by: 'o', product: 'p', expires: '2027-01-01', quantity: 1 };
  for (const [id, fact] of [
    ['m-z', { kind: 'assigned', ...seats, total: 1 }],
    ['m-a', { kind: 'revoked', ...seats, left: 0 }],
  ] as const) {
    const { wallMs } = world.now;
    const when = { madeAtMs: wallMs, nextAtMs: wallMs, attempts: 0, state: 'queued' } as const;
    evolve(world.state, { type: 'mail.queued', mail: { id, to: to('anna'), facts: [fact], ...when } }, 0);
    world.pass(60_000);
  }
  world.ok({ type: 'retryMail', ...world.admin(), id: null });
  const { mail } = world.state.tables;
  expect(mail.get('m-z')!.nextAtMs).toBe(mail.get('m-a')!.nextAtMs);
  site.outbox.wake();
  await expect.poll(() => site.subjects.length).toBe(2);
  await site.outbox.stop();
  expect(site.subjects).toEqual([expect.stringContaining('for you'), expect.stringContaining('taken back')]);
});

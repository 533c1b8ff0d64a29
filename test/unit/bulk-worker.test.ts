import { BulkWorker } from '@berth/server/bulk/worker';
import type { Command, CommandType, Settled } from '@berth/server/domain/commands';
import { expect, test } from 'vitest';
import { DAY_MS, World } from './domain/world.js';

function make(world: World, kind: 'invite' | 'assign', names: readonly string[]): string {
  const cells = names.map((name, at) => ({
    line: at + 2,
    email: `${name}@studio.example`,
    ...(kind === 'assign' ? { product: 'render' } : {}),
  }));
  const table = { cells, hash: JSON.stringify([kind, names]), ignored: [] };
  const how = { pending: false, again: false, invitationMs: DAY_MS };
  return world.ok({ type: 'makeJob', ...world.admin(), kind, table, ...how }).id;
}

/** @param later what is to be called back */
function worker(world: World, later: (() => void)[] = []): BulkWorker {
  return new BulkWorker({
    state: world.state,
    submit: async <T extends CommandType>(command: Command<T>): Promise<Settled<T>> => world.send(command),
    after: (_, then) => {
      later.push(then);
      return () => {};
    },
    onFatal: (error) => {
      throw error;
    },
  });
}

async function ended(world: World, ...jobs: readonly string[]): Promise<void> {
  await expect
    .poll(() => jobs.every((id) => world.state.tables.job.get(id)!.endedAtMs !== undefined))
    .toBe(true);
}

test('jobs are done in the order in which they were asked for, whatever their ids and whatever table they were loaded from', async () => {
  const world = new World();
  world.import({ seats: 5 });
  const invite = make(world, 'invite', ['a', 'b', 'c']);
  world.pass(1000);
  const assign = make(world, 'assign', ['a', 'b', 'c']);
  // As a store hands them back that has them by id, and the later one has the smaller.
  world.state.derived.jobsRunning.clear();
  for (const id of [assign, invite]) world.state.derived.jobsRunning.add(id);
  worker(world).wake();
  await ended(world, invite, assign);
  expect(world.state.tables.job.get(invite)).toMatchObject({ done: 3, failed: 0 });
  expect(world.state.tables.job.get(assign)).toMatchObject({ done: 3, failed: 0 });
});

test('a disk that is low makes a job wait, and fails no row', async () => {
  const world = new World();
  const id = make(world, 'invite', ['a', 'b']);
  world.diskLow = true;
  const later: (() => void)[] = [];
  worker(world, later).wake();
  await expect.poll(() => later.length).toBe(1);
  expect(world.state.tables.job.get(id)).toMatchObject({ next: 0, failed: 0 });
  world.diskLow = false;
  later[0]!();
  await ended(world, id);
  expect(world.state.tables.job.get(id)).toMatchObject({ done: 2, failed: 0 });
});

test('a job without rows has ended when it is made; one that an older server left open ends, and the next one is done', async () => {
  const world = new World();
  const empty = make(world, 'invite', []);
  expect(world.state.tables.job.get(empty)).toMatchObject({ rows: 0, endedAtMs: world.now.wallMs });
  const { endedAtMs: _, ...open } = world.state.tables.job.get(empty)!;
  world.state.tables.job.set(empty, open);
  world.state.derived.jobsRunning.add(empty);
  world.pass(1000);
  const id = make(world, 'invite', ['a']);
  const mails = world.state.tables.mail.size;
  worker(world).wake();
  await ended(world, empty, id);
  expect(world.state.tables.job.get(id)).toMatchObject({ done: 1 });
  // The invitation and what became of the one row; of nothing nothing is told.
  expect(world.state.tables.mail.size - mails).toBe(2);
});

test('each row is an act of whoever asked for the job, from where they did; of a job that does not say it, from nowhere', async () => {
  const world = new World();
  const { by, request } = world.admin();
  const make = (name: string, from: object) => {
    const table = { cells: [{ line: 2, email: `${name}@studio.example` }], hash: name, ignored: [] };
    const how = { kind: 'invite', table, pending: false, again: false, invitationMs: DAY_MS } as const;
    const key = { ...request, key: name };
    return world.ok({ type: 'makeJob', by: { ...by, ...from }, request: key, ...how }).id;
  };
  const asked: unknown[] = [];
  const jobs = [make('a', { from: '192.0.2.7' }), make('b', {})];
  new BulkWorker({
    state: world.state,
    submit: async <T extends CommandType>(command: Command<T>): Promise<Settled<T>> => {
      asked.push('by' in command && command.by);
      return world.send(command);
    },
    after: () => () => {},
    onFatal: (error) => asked.push(error),
  }).wake();
  await ended(world, ...jobs);
  expect(asked).toEqual([{ ...by, from: '192.0.2.7' }, by]);
});

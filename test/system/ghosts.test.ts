import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onlineWindowMs } from '@berth/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, Site } from './site.js';

// A plugin that was killed never locks its own user out (issue 3, part 4). D is long, so that no window ends during a test: what comes
// free was given back.
const leaseSeconds = 120;
let site: Site;
let anna: Person;

beforeAll(async () => {
  site = await Site.open({ leaseSeconds });
  await site.grant({ product: 'render', seats: 1, share: 'process' });
  await site.grant({ product: 'pair', seats: 2, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
});

afterAll(async () => site.close());

async function seated(product = 'render') {
  const plugin = site.plugin(anna, { product });
  plugin.tell('checkout');
  const seat = await plugin.hear({ event: 'done', order: 'checkout' });
  return { plugin, seat };
}

/** The names of the state folder, and what the records of open leases say. */
async function records(who: Person): Promise<{ path: string; json: Record<string, unknown> }[]> {
  const state = join(who.home, 'state');
  const found = [];
  for (const context of await readdir(state)) {
    const folder = join(state, context, 'leases');
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      found.push({ path, json: JSON.parse(await readFile(path, 'utf8')) });
    }
  }
  return found;
}

describe('a plugin that was killed', () => {
  it('gets the only seat again at once, with share process', async () => {
    const first = await seated();
    await first.plugin.kill();
    expect((await site.pool()).inUse).toBe(1);

    const beganMs = performance.now();
    const second = await seated();
    const tookMs = performance.now() - beganMs;
    expect(second.seat).toMatchObject({ state: 'held', joined: false });
    expect(tookMs).toBeLessThan(onlineWindowMs(leaseSeconds * 1000) / 10);
    expect(second.seat.leaseIds).not.toEqual(first.seat.leaseIds);
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 0, over: 0 });

    second.plugin.tell('close');
    await second.plugin.exited;
    expect(await records(anna)).toEqual([]);
    expect((await site.pool()).free).toBe(1);
    console.log(`killed and seated again after ${Math.round(tookMs)} ms, start of the process included`);
  });

  it('leaves its seat to `berth run` too', async () => {
    const { plugin } = await seated();
    await plugin.kill();
    const run = await site.berth(anna, ['run', '--product', 'render', '--', process.execPath, '-e', '']);
    expect(run).toMatchObject({ code: 0 });
  });

  it('gets it again after eight kills in a row', async () => {
    for (let round = 0; round < 8; round++) await (await seated()).plugin.kill();
    const last = await seated();
    expect(last.seat.state).toBe('held');
    await last.plugin.kill();
  });
});

describe('a plugin that lives', () => {
  it('keeps its seat while another of the same user starts, dies and starts again', async () => {
    const alive = await seated('pair');
    const dying = await seated('pair');
    await dying.plugin.kill();
    const next = await seated('pair');
    expect(await site.pool('pair')).toMatchObject({ inUse: 2, free: 0 });

    // A third finds both taken by processes that live, and changes nothing about them.
    const third = site.plugin(anna, { product: 'pair' });
    third.tell('checkout');
    expect(await third.hear({ event: 'failed', order: 'checkout' })).toMatchObject({ code: 'NO_SEAT' });
    alive.plugin.tell('pool');
    expect(await alive.plugin.hear({ event: 'done', order: 'pool' })).toMatchObject({ pool: { inUse: 2 } });
    for (const { plugin } of [alive, next]) {
      plugin.tell('state');
      expect(await plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    }
    for (const { plugin } of [alive, next]) await plugin.kill();
    await third.kill();
  });

  it('keeps it when it is stopped for a moment: a process that sleeps is not gone', async () => {
    const asleep = await seated('pair');
    asleep.plugin.signal('SIGSTOP');
    const other = await seated('pair');
    expect(await site.pool('pair')).toMatchObject({ inUse: 2, free: 0 });
    asleep.plugin.signal('SIGCONT');
    asleep.plugin.tell('state');
    expect(await asleep.plugin.hear({ event: 'done', order: 'state' })).toMatchObject({ state: 'held' });
    for (const { plugin } of [asleep, other]) await plugin.kill();
  });
});

describe('a process number that was given again', () => {
  /** The record of a killed plugin, as if its number now belonged to a process that lives: this one. */
  async function reused(changed: (facts: string[]) => string[]): Promise<string> {
    const { plugin } = await seated();
    await plugin.kill();
    const [record] = await records(anna);
    const facts = String(record!.json.process).split('/');
    await writeFile(record!.path, JSON.stringify({ ...record!.json, process: changed(facts).join('/') }));
    return record!.path;
  }

  it('is known by when the process began: the seat is given back', async () => {
    await reused(([host, , mark, boot, start]) => [host!, String(process.pid), mark!, boot!, start!]);
    const next = await seated();
    expect(next.seat.state).toBe('held');
    await next.plugin.kill();
  });

  it('on another computer, or before a restart of this one, proves nothing: the seat stays', async () => {
    for (const other of [0, 3]) {
      // The seat of the round before comes free with the next start.
      const path = await reused((facts) => facts.map((fact, at) => (at === other ? 'other' : fact)));
      const next = site.plugin(anna);
      next.tell('checkout');
      expect(await next.hear({ event: 'failed', order: 'checkout' })).toMatchObject({ code: 'NO_SEAT' });
      await next.kill();
      const [record] = await records(anna);
      await writeFile(path, JSON.stringify({ ...record!.json, client: 'closed' }));
    }
    const last = await seated();
    await last.plugin.kill();
  });
});

it('and at no moment were there more rights than seats', () => {
  const { findings, judged } = site.audit();
  expect(findings).toEqual([]);
  expect(judged.seats).toBeGreaterThan(10);
});

import { closeCodes } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { settle, World } from './world.js';

const folder = 'state/studio/leases';

/** A process took a seat and died: its socket is gone, its record is not. */
async function crashed(seats = 1) {
  const world = new World();
  const client = await world.connect();
  for (let i = 0; i < seats; i++) await client.checkout();
  world.server.dropAll();
  world.host.network.clear();
  world.server.requests.length = 0;
  return world;
}

const methods = (world: World) =>
  world.server.requests.map(({ method }) => method).filter((method) => !/open|renew|resume/.test(method));

describe('the leases of a process that is gone', () => {
  it('are given back by the next one before it asks for a seat, in one frame', async () => {
    const world = await crashed(3);
    const next = await world.connect({}, world.process('process-2', false));
    await next.checkout();
    expect(methods(world)).toEqual(['lease.release', 'lease.checkout']);
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1', 'lease-2', 'lease-3']);
    // Its own record is left, the other is gone.
    expect(world.files.under(folder)).toHaveLength(1);
    await next.close();
    expect(world.files.under(folder)).toEqual([]);
  });

  it('are given back by a client that was open already', async () => {
    const world = new World();
    let alive = true;
    const host = world.process('process-2');
    host.process.isAlive = (id) => id === 'process-2' || alive;
    const second = await world.connect({}, host);
    const first = await world.connect();
    await first.checkout();
    await second.checkout();
    expect(methods(world)).toEqual(['lease.checkout', 'lease.checkout']);
    alive = false;
    await second.checkout();
    expect(methods(world)).toEqual(['lease.checkout', 'lease.checkout', 'lease.release', 'lease.checkout']);
  });

  it.each([true, null])('are left alone while it may live (%s)', async (alive) => {
    const world = await crashed();
    const host = world.process('process-2');
    host.process.isAlive = () => alive;
    const next = await world.connect({}, host);
    await next.checkout();
    expect(methods(world)).toEqual(['lease.checkout']);
    expect(world.files.under(folder)).toHaveLength(2);
  });

  it('never cost the next one its seat, whatever the server says to it', async () => {
    for (const reply of ['drop' as const, null, { error: 'INTERNAL' as const }]) {
      const world = await crashed();
      world.server.scripts['lease.release'] = () => reply;
      const next = await world.connect({}, world.process('process-2', false));
      await world.run(next.checkout());
      // It stays on the record: the next start tries again.
      expect(world.files.under(folder)).toHaveLength(2);
    }
  });

  it('are stopped when they were revoked meanwhile', async () => {
    const world = await crashed();
    world.server.scripts['lease.release'] = ({ stops, leases }) =>
      stops === undefined ? { error: 'STOP_REQUIRED' } : { released: leases };
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(world.server.of('lease.release').at(-1)?.params.stops).toHaveLength(1);
    expect(world.files.under(folder)).toEqual([]);
  });

  it('are given back without the one that the server does not know as ours', async () => {
    const world = await crashed(3);
    world.server.scripts['lease.release'] = ({ leases }) =>
      leases.includes('lease-2')
        ? { error: 'LEASE_UNKNOWN', data: { lease: 'lease-2' } }
        : { released: leases };
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(world.server.of('lease.release').at(-1)?.params.leases).toEqual(['lease-1', 'lease-3']);
    expect(world.files.under(folder)).toEqual([]);
  });

  it('are forgotten when the record is damaged, or of another computer and old', async () => {
    const world = await crashed();
    const [path] = world.files.under(folder);
    world.files.contents.set(`${folder}/x.json`, 'not a record');
    const host = world.process('process-2');
    host.process.isAlive = () => null;
    const next = await world.connect({}, host);
    await settle();
    expect(world.files.under(folder)).toEqual([path]);
    world.time.sleep(8 * 86_400_000);
    await next.close();
    await world.connect({}, host);
    await settle();
    expect(world.files.under(folder)).toEqual([]);
    expect(methods(world)).toEqual([]);
  });
});

describe('a checkout whose answer was never heard', () => {
  /** The server committed it; its process died before the answer came. */
  async function unheard() {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = (params) => {
      world.host.network.clear();
      return { lost: world.server.grant(params) };
    };
    void client.checkout().catch(() => undefined);
    await settle();
    delete world.server.scripts['lease.checkout'];
    const [asked] = world.server.of('lease.checkout');
    world.server.requests.length = 0;
    return { world, asked: asked!.params };
  }

  it('is asked again by the next one, with its key, and what it got is given back', async () => {
    const { world, asked } = await unheard();
    const next = await world.connect({}, world.process('process-2', false));
    await next.checkout();
    expect(methods(world)).toEqual(['lease.cancelWait', 'lease.checkout', 'lease.release', 'lease.checkout']);
    const [again, own] = world.server.of('lease.checkout');
    expect(again?.params).toMatchObject({ key: asked.key, nonce: asked.nonce, wants: asked.wants });
    expect(again?.params).not.toHaveProperty('waitMs');
    expect(own?.params.key).not.toBe(asked.key);
    expect(world.server.of('lease.release')[0]?.params.leases).toEqual(['lease-1']);
    expect(world.files.under(folder)).toHaveLength(1);
  });

  it('is forgotten when the server refuses it', async () => {
    const { world } = await unheard();
    world.server.results.clear();
    world.server.scripts['lease.checkout'] = () => ({ error: 'NO_SEAT' });
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(methods(world)).toEqual(['lease.cancelWait', 'lease.checkout']);
    expect(world.files.under(folder)).toEqual([]);
  });

  it.each(['BUSY', 'DRAINING', 'INTERNAL'] as const)(
    'is kept for the next start after %s, which says nothing of it',
    async (error) => {
      const { world } = await unheard();
      world.server.results.clear();
      world.server.scripts['lease.checkout'] = () => ({ error });
      await world.connect({}, world.process('process-2', false));
      await settle();
      expect(world.files.under(folder)).toHaveLength(1);
    },
  );

  it('keeps nothing of what is certain, nor of another checkout, when it cannot be cleared up now', async () => {
    const { world, asked } = await unheard();
    // The same process held two seats, and a second checkout of it is not to be had an answer for either.
    const [path] = world.files.under(folder);
    const record = JSON.parse(world.files.contents.get(path!)!);
    record.leases = ['lease-8', 'lease-9'];
    record.asked.push({ ...record.asked[0], key: 'another-key-of-22-chars' });
    world.files.contents.set(path!, JSON.stringify(record));
    world.server.scripts['lease.checkout'] = () => ({ error: 'RATE_LIMITED' });
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(methods(world)).toEqual([
      'lease.release',
      'lease.cancelWait',
      'lease.checkout',
      'lease.release',
      'lease.cancelWait',
      'lease.checkout',
    ]);
    const [known, granted] = world.server.of('lease.release');
    expect(known?.params.leases).toEqual(['lease-8', 'lease-9']);
    expect(world.server.of('lease.checkout')[0]?.params.key).toBe(asked.key);
    expect(granted?.params.leases).toEqual(['lease-1']);
    // The other one is for the next start.
    expect(world.files.under(folder)).toEqual([path]);
  });

  it('does not keep the record of another process, unless the server is silent', async () => {
    for (const reply of [{ error: 'INTERNAL' as const }, null]) {
      const { world } = await unheard();
      const [path] = world.files.under(folder);
      const record = JSON.parse(world.files.contents.get(path!)!);
      const [one] = record.asked;
      const other = { ...record, asked: [{ ...one, key: 'another-key-of-22-chars' }] };
      world.files.contents.set(`${folder}/zz.json`, JSON.stringify(other));
      world.server.results.clear();
      world.server.scripts['lease.checkout'] = (params) =>
        params.key === one.key ? reply : world.server.grant(params);
      await world.connect({}, world.process('process-2', false));
      await world.time.advance(5_000);
      expect(world.files.under(folder)).toEqual(reply === null ? [path, `${folder}/zz.json`] : [path]);
    }
  });

  it.each(['DISK_LOW', 'CLOCK_BEHIND', 'REVOKE_PENDING'] as const)(
    'is over after %s: the server had looked for it before it said so',
    async (error) => {
      const world = new World();
      const client = await world.connect();
      world.server.scripts['lease.checkout'] = () => ({ error });
      await client.checkout().catch(() => undefined);
      expect(world.files.under(folder)).toEqual([]);
    },
  );

  it('stays on the record when the connection ended for good before an answer', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = (_params, socket) => {
      socket.close(closeCodes.REFUSED.number);
      return null;
    };
    expect(await world.run(client.checkout().catch(({ code }) => code))).toBe('NOT_ALLOWED');
    expect(world.files.under(folder)).toHaveLength(1);
  });

  it('is not on the record when it was never sent', async () => {
    const world = new World();
    const client = await world.connect();
    world.cut();
    const code = await world.run(client.checkout().catch((error: { code: string }) => error.code));
    expect(code).toBe('UNREACHABLE');
    expect(world.files.under(folder)).toEqual([]);
  });

  it('is left alone while its process may live', async () => {
    const { world } = await unheard();
    await world.connect({}, world.process('process-2'));
    await settle();
    expect(methods(world)).toEqual([]);
  });

  it('is not asked again when any seat of it has long ended', async () => {
    const { world } = await unheard();
    world.time.sleep(901_000);
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(methods(world)).toEqual([]);
    expect(world.files.under(folder)).toEqual([]);
  });

  it('is asked again when it had waited in line for longer than that', async () => {
    const world = new World();
    const client = await world.connect();
    world.server.scripts['lease.checkout'] = () => null;
    void client.checkout({ wait: 7_200_000 }).catch(() => undefined);
    await settle();
    await world.time.advance(1_800_000);
    delete world.server.scripts['lease.checkout'];
    world.host.network.clear();
    world.server.dropAll();
    world.server.requests.length = 0;
    await world.connect({}, world.process('process-2', false));
    await settle();
    expect(methods(world)).toEqual(['lease.cancelWait', 'lease.checkout', 'lease.release']);
  });

  it('is on disk before it is sent, and not once it was refused', async () => {
    const world = new World();
    const client = await world.connect();
    let onDisk = 0;
    world.server.scripts['lease.checkout'] = () => {
      onDisk = world.files.under(folder).length;
      return { error: 'NO_SEAT' };
    };
    await client.checkout().catch(() => undefined);
    expect(onDisk).toBe(1);
    expect(world.files.under(folder)).toEqual([]);
  });
});

it('a seat that could not be given back is given back by the next client of the same process', async () => {
  const world = new World();
  const client = await world.connect();
  await client.checkout();
  world.cut();
  await world.run(client.close());
  expect(world.server.of('lease.release')).toEqual([]);
  world.mend();
  const next = await world.connect();
  await next.checkout();
  expect(methods(world)).toEqual(['lease.checkout', 'lease.release', 'lease.checkout']);
});

it('a folder that cannot be written costs the record and not the seat', async () => {
  const world = new World();
  world.files.fail = /leases/;
  const client = await world.connect();
  const seat = await client.checkout();
  expect(seat.state).toBe('held');
  await seat.release();
  await settle();
  await client.close();
});

it('a checkout that had not asked yet when its client closed takes no seat: its record would call it given back', async () => {
  const world = new World();
  const client = await world.connect();
  await client.checkout();
  // The server takes its time with the first seat, so that closing does.
  let confirm = (): void => {};
  const confirmed = new Promise<void>((resolve) => {
    confirm = resolve;
  });
  world.server.scripts['lease.release'] = async ({ leases }) => {
    await confirmed;
    return { released: leases };
  };
  const late = client.checkout().catch((error: { code: string }) => error.code);
  const closing = client.close();
  expect(await world.run(late)).toBe('CANCELLED');
  confirm();
  await world.run(closing);
  expect(world.server.of('lease.checkout')).toHaveLength(1);
  expect(world.files.under(folder)).toEqual([]);
});

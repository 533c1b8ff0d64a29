import { BerthError } from '@berth/client';
import { errors } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, joined, oneIdentity } from './fake-host.js';

const pool = {
  product: 'render',
  vendor: joined.serverKey,
  owned: 3,
  allocated: 1,
  shared: 2,
  floatingSharing: true,
  inUse: 1,
  borrowed: 0,
  held: 0,
  free: 2,
  over: 0,
};

describe('berth status', () => {
  it('prints exactly the fields of the contract, all pages', async () => {
    const admin = fakeAdmin({
      'pool.status': ({ cursor }) =>
        cursor === undefined
          ? { pools: [{ ...pool, novelty: 1 }], next: 'p2' }
          : { pools: [{ ...pool, product: 'sim' }], next: null },
    });
    const ran = await berth(['status', '--json'], { sdk: admin.sdk });
    expect(ran.json()).toEqual({ pools: [pool, { ...pool, product: 'sim' }] });
    expect(admin.stillOpen()).toBe(0);
  });

  it('shows all of the equation that is not 0 on 80 columns, however long a product is called', async () => {
    const long = { ...pool, product: 'render-farm-of-the-whole-studio', borrowed: 2, held: 3, over: 4 };
    const shown = async (pools: (typeof pool)[]) => {
      const { sdk } = fakeAdmin({ 'pool.status': () => ({ pools, next: null }) });
      return (await berth(['status'], { sdk, answers: [], columns: 80 })).stdout.split('\n');
    };
    const [titles, row, ...notes] = await shown([long]);
    for (const title of ['OWNED', 'ALLOCATED', 'SHARED', 'IN USE', 'BORROWED', 'HELD', 'FREE', 'OVER'])
      expect(titles).toContain(title);
    expect(row).toMatch(/^render-farm-of-/);
    expect(notes[0]).toBe('Not shown: SHARING (see a wider terminal, or --json).');
    const [, , note] = await shown([{ ...long, held: 0, over: 0 }]);
    expect(note).toBe('Not shown, 0 or empty in every row: HELD, OVER.');
  });

  it('uses the lease path without the admin scope', async () => {
    const admin = fakeAdmin({ 'pool.status': () => ({ pools: [pool], next: null }) });
    const openLease = admin.sdk.openAdmin as never;
    const sdk = { openLease, identities: oneIdentity({ ...joined, scopes: ['lease'] }) };
    expect((await berth(['status', '--json'], { sdk })).json()).toEqual({ pools: [pool] });
  });
});

describe('somebody who is no admin any more, and has the key still', () => {
  const openAdmin = async (): Promise<never> => {
    throw new BerthError('NOT_ALLOWED');
  };
  const lease = fakeAdmin({ 'pool.status': () => ({ pools: [pool], next: null }) });
  const sdk = { ...lease.sdk, openAdmin, openLease: lease.sdk.openAdmin as never };

  it('sees the seats and who they are by the lease channel', async () => {
    expect((await berth(['status', '--json'], { sdk })).json()).toEqual({ pools: [pool] });
    expect((await berth(['whoami', '--json'], { sdk })).json()).toMatchObject({
      user: { email: 'owner@studio.example' },
      server: { version: null },
    });
  });

  it('is refused what only an admin may, and no other refusal is passed over', async () => {
    expect((await berth(['user', 'list'], { sdk })).exitCode).toBe(errors.NOT_ALLOWED.exit);
    const unknown = async (): Promise<never> => {
      throw new BerthError('DEVICE_UNKNOWN');
    };
    const ran = await berth(['status'], { sdk: { ...sdk, openAdmin: unknown } });
    expect(ran.exitCode).toBe(errors.DEVICE_UNKNOWN.exit);
  });
});

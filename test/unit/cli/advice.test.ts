import type { Sdk } from '@berth/cli/sdk';
import { BerthError } from '@berth/client';
import type { ErrorCode } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

describe('what is unknown', () => {
  const refusing = (code: 'PRODUCT_UNKNOWN' | 'USER_UNKNOWN' | 'ALLOCATION_UNKNOWN', detail: object) =>
    fakeAdmin({
      'allocation.assign': () => {
        throw new BerthError(code, { detail: { ...detail } });
      },
      'allocation.move': () => {
        throw new BerthError(code, { detail: { ...detail } });
      },
      'pool.status': () => ({ pools: [{ product: 'render' }, { product: 'comp' }], next: null }),
      'user.list': () => ({
        items: [{ email: 'bo@studio.example' }, { email: 'anna@studio.example' }],
        next: null,
      }),
      'audit.list': () => ({
        items: [
          {
            ...{ seq: 9, place: 0, atMs: Date.UTC(2026, 0, 1), did: 'move', by: 'it@studio.example' },
            changes: [
              allocation('bo@studio.example', { value: '0', was: '2' }),
              allocation('a@b.org', { value: '1' }),
            ],
          },
        ],
        next: null,
        at: '9.0',
      }),
    });
  const allocation = (user: string, quantity: { value: string; was?: string }) => ({
    kind: 'allocation.set',
    facts: [
      { name: 'user', value: user },
      { name: 'entitlement', value: 'ent-1' },
      { name: 'quantity', ...quantity },
    ],
  });
  const error = async (line: string, admin: ReturnType<typeof fakeAdmin>) =>
    ((await berth([...line.split(' '), '--json'], { sdk: admin.sdk })).json() as { error: object }).error;

  it('is asked back: a product, an address, and nobody who is merely alike', async () => {
    const product = refusing('PRODUCT_UNKNOWN', { product: 'rendr' });
    expect(await error('license assign a@b.org rendr', product)).toMatchObject({ didYouMean: 'render' });
    const user = refusing('USER_UNKNOWN', { email: 'ana@studio.example' });
    expect(await error('license assign ana@studio.example render', user)).toMatchObject({
      didYouMean: 'anna@studio.example',
      next: expect.stringContaining('anna@studio.example'),
    });
    const cem = refusing('USER_UNKNOWN', { email: 'cem@studio.example' });
    expect(await error('license assign cem@studio.example render', cem)).not.toHaveProperty('didYouMean');
  });

  it('is asked back where there is no admin channel: by credit consume, borrow take and run', async () => {
    const refuse = (code: ErrorCode) => async () => {
      throw new BerthError(code, { detail: { product: 'rendr' } });
    };
    const pools = { pools: [{ product: 'render' }, { product: 'comp' }] };
    const call = async (method: string) =>
      method === 'pool.status' ? pools : await refuse('PRODUCT_UNKNOWN')();
    const close = async () => {};
    const [borrow, checkout, bundle] = [refuse('NO_PRODUCT'), refuse('NO_PRODUCT'), refuse('NO_PRODUCT')];
    const sdk = {
      openLease: async () => ({ call, close }),
      connect: async () => ({ borrow, checkout, checkoutBundle: bundle, close }),
    } as unknown as Partial<Sdk>;
    const processes = {
      start: refuse('INTERNAL'),
      onSignals: () => () => undefined,
      after: () => () => undefined,
    } as never;
    for (const line of [
      'credit consume rendr 1',
      'borrow take --product rendr --for 1h',
      'run --product rendr -- true',
    ]) {
      const ran = await berth(line.split(' '), { sdk, processes });
      expect([line, ran.stderr]).toEqual([line, expect.stringContaining('Next: Did you mean render? ')]);
    }
    const away = { ...sdk, openLease: refuse('UNREACHABLE') };
    const ran = await berth('borrow take --product rendr --for 1h'.split(' '), { sdk: away });
    expect([ran.exitCode, ran.stderr]).toEqual([7, expect.stringContaining('NO_PRODUCT')]);
  });

  it('never offers what was typed: a product may be there and grant nothing', async () => {
    const admin = refusing('PRODUCT_UNKNOWN', { product: 'render' });
    expect(await error('license assign a@b.org render', admin)).not.toHaveProperty('didYouMean');
  });

  it('says who was quicker', async () => {
    const admin = refusing('ALLOCATION_UNKNOWN', { email: 'bo@studio.example', product: 'render' });
    expect(await error('license move bo@studio.example render --to a@b.org', admin)).toMatchObject({
      code: 'ALLOCATION_UNKNOWN',
      message: expect.stringMatching(/ by it@studio\.example: 0 seats of entitlement ent-1, 2 before\.$/),
    });
  });
});

import { BerthError } from '@berth/client';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

describe('berth license revoke --all', () => {
  const words = ['license', 'revoke', 'lgt07', 'render', '--all'];
  const would = { email: 'a@b.org', product: 'render', revoked: 2, left: 0, leasesRevoked: 0 };

  it('asks with how many, and says so where somebody was quicker than the answer', async () => {
    const after = (revoked: number) => {
      const preview = { 'allocation.revoke.preview': () => would };
      return fakeAdmin({ ...preview, 'allocation.revoke': () => ({ ...would, revoked }) });
    };
    const ran = await berth(words, { sdk: after(1).sdk, answers: ['y'] });
    expect(ran.stderr).toContain('Revoke all 2 seats of render from a@b.org? [y/N]');
    expect(ran.stderr).toContain('When you were asked it was 2 seats, now 1: somebody changed it meanwhile.');
    const alone = await berth(words, { sdk: after(2).sdk, answers: ['y'] });
    expect([alone.exitCode, alone.stderr]).toEqual([0, expect.not.stringContaining('meanwhile')]);
  });

  it('an older server is asked to do it all the same', async () => {
    const { sdk } = fakeAdmin({
      'allocation.revoke.preview': () => {
        throw new BerthError('METHOD_UNKNOWN');
      },
      'allocation.revoke': () => would,
    });
    const ran = await berth(words, { sdk, answers: ['y'] });
    expect([ran.exitCode, ran.stderr]).toEqual([
      0,
      expect.stringContaining('Revoke every seat of render from lgt07? [y/N]'),
    ]);
  });

  it('what would be refused is refused before it is asked about', async () => {
    const { sdk } = fakeAdmin({
      'allocation.revoke.preview': () => {
        throw new BerthError('BORROWED');
      },
    });
    const ran = await berth(words, { sdk, answers: ['y'] });
    expect([ran.exitCode, ran.stderr]).toEqual([8, expect.not.stringContaining('[y/N]')]);
  });
});

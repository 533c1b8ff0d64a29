import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

describe('which subscription', () => {
  it.each([
    ['license', 'assign', 'a@b.org', 'render', '--subscription', ' '],
    ['license', 'move', 'a@b.org', 'render', '--to', 'c@d.org', '--subscription', ''],
    ['license', 'assign', 'a@b.org', 'render', '--subscription', 'S'.repeat(401)],
    ['subscription', 'list', '--currency', ''],
    ['subscription', 'show', ''],
  ])('one that is empty or too long is a mistake, not every one: %s %s', async (...words) => {
    const admin = fakeAdmin({});
    const ran = await berth([...words, '--json'], { sdk: admin.sdk });
    expect([ran.exitCode, ran.json(), admin.calls]).toMatchObject([2, { error: { code: 'USAGE' } }, []]);
  });
});

describe('berth subscription show', () => {
  const row = {
    ...{ id: 'ent-1', rev: 1, product: 'render', vendor: 'v', seats: 3, allocated: 0, state: 'active' },
    ...{ from: '2026-01-01', until: '2026-01-31', daysLeft: 1, share: 'process', borrow: null },
    ...{ earlyReturn: 'at-once', holder: null, display: { number: 'S-1' } },
  };
  const show = async (more: object, ...words: string[]) => {
    const admin = fakeAdmin({ 'entitlement.list': () => ({ items: [{ ...row, ...more }], next: null }) });
    return await berth(['subscription', 'show', 'S-1', ...words], { sdk: admin.sdk });
  };

  it('has the credits that came with it, where some did', async () => {
    const { stdout } = await show({ credits: { bought: 1000, spent: 200 } });
    expect(stdout).toMatch(/^credits +1000 \(200 spent\)$/m);
    expect((await show({})).stdout).not.toContain('credits');
  });

  it('counts days as everything does', async () => {
    expect((await show({})).stdout).toMatch(/^state +active, 1 day left$/m);
    expect((await show({ daysLeft: 3 })).stdout).toContain('3 days left');
  });
});

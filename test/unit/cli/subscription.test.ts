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

import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const off = { idleSeconds: null, lingerSeconds: null };

describe('berth pool', () => {
  it('sends only what was named, and off as null', async () => {
    const was = { ...off, borrowSeatsMax: 3 };
    const admin = fakeAdmin({
      'pool.show': () => ({ items: [{ product: 'render', settings: was, defaults: off }], next: null }),
      'pool.set': () => ({ product: 'render', settings: { ...off, idleSeconds: 1800 }, changed: true }),
    });
    const words = ['pool', 'set', 'render', '--idle-seconds', '1800', '--linger-seconds', 'off'];
    const ran = await berth(words, { sdk: admin.sdk });
    const params = {
      key: 'test-key-0123456789',
      product: 'render',
      idleSeconds: 1800,
      lingerSeconds: null,
      was,
    };
    expect(admin.calls.slice(1)).toEqual([{ method: 'pool.set', params }]);
    expect(ran.stdout).toMatch(/^idle-seconds +1800 s \(30 min\) \(default: off\)$/m);
    expect(ran.stdout).toMatch(/^linger-seconds +off \(default\)$/m);
  });

  it.each([[[]], [['--idle-seconds', '0']], [['--idle-seconds', 'soon']], [['--linger-seconds', '86401']]])(
    'refuses %j before anything is sent',
    async (more) => {
      const admin = fakeAdmin({});
      const ran = await berth(['pool', 'set', 'render', ...more, '--json'], { sdk: admin.sdk });
      expect(ran.exitCode).toBe(2);
      expect(ran.json()).toMatchObject({ error: { code: 'USAGE' } });
      expect(admin.calls).toEqual([]);
    },
  );

  it('shows every setting with its default', async () => {
    const item = { product: 'render', settings: { ...off, lingerSeconds: 60 }, defaults: off };
    const admin = fakeAdmin({ 'pool.show': () => ({ items: [item], next: null }) });
    const ran = await berth(['pool', 'show', 'render'], { sdk: admin.sdk });
    expect(ran.stdout).toMatch(/^product +render$/m);
    expect(ran.stdout).toMatch(/^linger-seconds +60 s \(default: off\)$/m);
    const json = await berth(['pool', 'show', '--json'], { sdk: admin.sdk });
    expect(json.json()).toEqual({ items: [item], next: null });
  });
});

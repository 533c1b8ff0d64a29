import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthError, IdentityStore, nodeHost } from '@berth/client';
import { NodeFiles, nativeEd25519, portableEd25519, rootsOf } from '@berth/client/internal';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { context } from './world.js';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'berth-sdk-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'ok',
    (error: BerthError) => error.code,
  );
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const full = { ...context, serverKey: `ed25519:${'A'.repeat(43)}`, caPem: 'pem' };

describe('where things are kept', () => {
  it.each([
    [{ XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, undefined, '/c/berth', '/s/berth'],
    [{ BERTH_HOME: '/b', XDG_CONFIG_HOME: '/c' }, undefined, '/b/config', '/b/state'],
    [{ BERTH_HOME: '/b' }, '/h', '/h/config', '/h/state'],
  ])('%j and home %s', (env, given, config, state) => {
    expect(rootsOf(given, env)).toEqual({ config, state });
  });

  it('defaults to ~/.config and ~/.local/state', () => {
    const { config, state } = rootsOf(undefined, { BERTH_HOME: '' });
    expect(config).toMatch(/\/\.config\/berth$/);
    expect(state).toMatch(/\/\.local\/state\/berth$/);
  });
});

describe('files', () => {
  const files = () => new NodeFiles(rootsOf(home, {}));

  it('are readable by their owner only, and replaced as a whole', async () => {
    await files().write('state/a/b.json', 'one');
    await files().write('state/a/b.json', 'two');
    expect(await files().read('state/a/b.json')).toBe('two');
    expect(await modeOf(join(home, 'state/a/b.json'))).toBe('600');
    expect(await modeOf(join(home, 'state/a'))).toBe('700');
    expect(await readdir(join(home, 'state/a'))).toEqual(['b.json']);
  });

  it('are made once, whoever comes second', async () => {
    const made = await Promise.all([1, 2, 3].map((n) => files().create('state/x', String(n))));
    expect(made.filter(Boolean)).toHaveLength(1);
  });

  it('are there whole or not at all, for whoever looks while one is made', async () => {
    const text = 'x'.repeat(100_000);
    for (let round = 0; round < 20; round++) {
      const path = `state/mark-${round}`;
      const seen = files()
        .create(path, text)
        .then(() => null);
      let read: string | null = null;
      while (read === null) read = await files().read(path);
      expect(read.length).toBe(text.length);
      await seen;
    }
    expect((await readdir(join(home, 'state'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('that are not there read as null, list as nothing and can be removed', async () => {
    expect(await files().read('state/none')).toBeNull();
    expect(await files().list('state/none')).toEqual([]);
    await files().remove('state/none/deeper');
  });

  it('that cannot be read or written say which and why', async () => {
    await files().write('state/file', 'x');
    expect(await codeOf(files().write('state/file/below', 'x'))).toBe('FOLDER_UNWRITABLE');
    expect(await codeOf(files().read('state'))).toBe('FILE_UNREADABLE');
    const error = await files()
      .read('state')
      .catch((thrown: BerthError) => thrown);
    expect(error instanceof BerthError && error.message).toContain(join(home, 'state'));
  });
});

describe('the identity store', () => {
  const store = () => new IdentityStore({ home });

  it('lists, reads, uses and removes contexts', async () => {
    expect([await store().list(), await store().current()]).toEqual([[], null]);
    await store().save(full);
    await store().save({ ...full, name: 'b' });
    expect((await store().list()).map(({ name }) => name)).toEqual(['b', 'studio']);
    expect(await codeOf(store().read())).toBe('NOT_JOINED');
    await store().use('studio');
    expect(await store().read()).toEqual(full);
    expect(await store().read('b')).toMatchObject({ name: 'b' });
    await store().remove('studio');
    expect([await store().current(), (await store().list()).length]).toEqual([null, 1]);
  });

  it('writes keys as text of the protocol, 0600', async () => {
    await store().saveKey('studio', 'lease', new Uint8Array(32));
    const path = join(home, 'state/studio/lease.key');
    expect(await readFile(path, 'utf8')).toBe(`ed25519-secret:${'A'.repeat(43)}\n`);
    expect(await modeOf(path)).toBe('600');
    expect(await store().readKey('studio', 'lease')).toEqual(new Uint8Array(32));
    expect(await store().readKey('studio', 'admin')).toBeNull();
  });

  it('does not leave its folder for a name', async () => {
    for (const name of ['../x', '.hidden', 'a/b', '', 'x'.repeat(65)]) {
      expect(await codeOf(store().save({ ...full, name }))).toBe('USAGE');
      expect(await codeOf(store().use(name))).toBe('CONTEXT_UNKNOWN');
    }
  });

  it('names a damaged file, and does not forget a context that has borrows', async () => {
    await store().save(full);
    const files = new NodeFiles(rootsOf(home, {}));
    await files.write('state/studio/borrows/l.json', '{}');
    expect(await codeOf(store().remove('studio'))).toBe('BORROWED');
    await files.write('config/contexts/studio.json', '{"name":"studio"}');
    expect(await codeOf(store().read('studio'))).toBe('FILE_UNREADABLE');
    await files.write('state/studio/lease.key', 'nonsense');
    expect(await codeOf(store().readKey('studio', 'lease'))).toBe('FILE_UNREADABLE');
  });
});

describe('Ed25519', () => {
  it('of OpenSSL and of tweetnacl give and accept the same bytes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(bytes(32), fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const [a, b] = [nativeEd25519.signingKey(seed), portableEd25519.signingKey(seed)];
        const signature = a.sign(message);
        expect(a.publicKey).toEqual(b.publicKey);
        expect(signature).toEqual(b.sign(message));
        expect(portableEd25519.verify(a.publicKey, message, signature)).toBe(true);
        const changed = signature.with(0, signature[0]! ^ 1);
        expect(nativeEd25519.verify(a.publicKey, message, changed)).toBe(false);
        expect(portableEd25519.verify(a.publicKey, message, changed)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the Node host', () => {
  it('says that a process has ended only when that is certain', () => {
    const { process: self } = nodeHost();
    const [host, pid, , boot, start] = self.id.split('/');
    const isAlive = (number: unknown, more: { host?: string; boot?: string; start?: string } = {}) =>
      self.isAlive([more.host ?? host, number, 'x', more.boot ?? boot, more.start ?? start].join('/'));
    expect(self.isAlive(self.id)).toBe(true);
    // A number that nobody has; the number of somebody who began at another time.
    expect(isAlive(4194399)).toBe(false);
    if (start !== '') {
      expect(isAlive(process.ppid)).toBe(false);
      expect(isAlive(pid, { start: '1' })).toBe(false);
      // Another copy of the SDK in this process.
      expect(isAlive(pid)).toBe(true);
    }
    // Nobody knows when it began, but the number is taken.
    expect(isAlive(process.ppid, { start: '' })).toBe(true);
    // Another computer, an earlier start of this one or another container, a record of an older version.
    expect(isAlive(4194399, { host: 'elsewhere' })).toBeNull();
    expect(isAlive(4194399, { boot: 'earlier' })).toBeNull();
    expect(self.isAlive(`${host}/4194399/x`)).toBeNull();
    expect(isAlive('nonsense')).toBeNull();
  });

  it('holds the process while somebody needs it', () => {
    const host = nodeHost();
    const timeouts = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timeouts();
    const [a, b] = [host.keepAlive(), host.keepAlive()];
    expect(timeouts()).toBe(before + 1);
    a();
    a();
    expect(timeouts()).toBe(before + 1);
    b();
    expect(timeouts()).toBe(before);
    host.setTimer(() => undefined, 60_000);
    expect(timeouts()).toBe(before);
  });
});

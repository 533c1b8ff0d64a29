import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { LevelStore } from '@berth/server/store/level-store';
import { START } from '@berth/server/store/position';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runSeed, seeded } from './random.js';
import { at, rowsOf, stateStoreSuite } from './state-store.suite.js';

const newFolder = () => mkdtemp(join(tmpdir(), 'berth-state-'));
const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true });

stateStoreSuite('LevelStore', async () => {
  const folder = await newFolder();
  return { open: () => LevelStore.open(folder), remove: () => removeFolder(folder) };
});

let folder: string;
beforeEach(async () => {
  folder = await newFolder();
});
afterEach(() => removeFolder(folder));

describe('the lock on the data folder', () => {
  test('is held against another process, and gone with it', async () => {
    const other = new Opener({ KEEP_OPEN: '1' });
    await other.load(folder);
    await expect(LevelStore.open(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE', folder });
    await other.kill();
    await (await LevelStore.open(folder)).close();
  });

  test('is held within this process too, until the store is closed', async () => {
    const store = await LevelStore.open(folder);
    await expect(LevelStore.open(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' });
    await store.close();
    await (await LevelStore.open(folder)).close();
  });

  test('is held during a reset', async () => {
    const store = await LevelStore.open(folder);
    const resets = Promise.all(Array.from({ length: 10 }, () => store.reset()));
    let isDone = false;
    void resets.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await expect(LevelStore.open(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' });
    }
    await store.close();
  });

  test('is let go when the rows cannot be opened', async () => {
    await (await LevelStore.open(folder)).close();
    const rows = new Level(rowsFolder());
    await rows.open();
    await expect(LevelStore.open(folder)).rejects.toMatchObject({ code: 'FOLDER_IN_USE' });
    await rows.close();
    await (await LevelStore.open(folder)).close();
  });
});

describe('a state that does not check is not returned', () => {
  beforeEach(async () => {
    await (await filled(folder)).close();
  });

  test.each<[string, (rows: Level<string, string>) => Promise<void>]>([
    ['a lost row', (rows) => rows.del('b')],
    ['a changed row', (rows) => rows.put('b', '3')],
    ['an extra row', (rows) => rows.put('d', '4')],
    ['two values exchanged', (rows) => rows.batch().put('a', '2').put('b', '1').write()],
    ['a row under another key', (rows) => rows.batch().del('c').put('cc', '3').write()],
    ['the meta row lost', (rows) => rows.del('\0meta')],
    ['the meta row not JSON', (rows) => rows.put('\0meta', '{')],
    ['another sequence', (rows) => editMeta(rows, { seq: 4 })],
    ['another hash', (rows) => editMeta(rows, { hash: 'b'.repeat(64) })],
    ['another format', (rows) => editMeta(rows, { format: 2 })],
  ])('%s', async (_name, damage) => {
    const rows = new Level<string, string>(rowsFolder());
    await rows.open();
    await damage(rows);
    await rows.close();
    const store = await LevelStore.open(folder);
    expect(await store.load()).toMatchObject({ ok: false, reason: expect.any(String) });
    expect(() => store.put(at(4), new Map())).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }));
    await store.reset();
    store.put(at(4), rowsOf({ a: '5' }));
    await store.flush();
    await store.close();
    expect(await loadOnce(folder)).toEqual({ ok: true, ...at(4), rows: new Map([['a', '5']]) });
  });

  test.each(['CURRENT', 'MANIFEST'])(
    'a database without its %s is made anew, but not its lock',
    async (prefix) => {
      const lockFile = join(folder, 'state', 'lock', 'LOCK');
      // Held open, so that a new file cannot get the same number.
      const held = await open(lockFile);
      const { ino } = await held.stat();
      for (const part of ['rows', 'lock']) {
        const names = await readdir(join(folder, 'state', part));
        for (const name of names) {
          if (name.startsWith(prefix)) await writeFile(join(folder, 'state', part, name), 'not LevelDB');
        }
      }
      expect(await loadOnce(folder)).toMatchObject({ ok: false });
      expect((await stat(lockFile)).ino).toBe(ino);
      const store = await LevelStore.open(folder);
      expect(await store.load()).toEqual({ ok: true, ...START, rows: new Map() });
      await store.close();
      await held.close();
    },
  );
});

describe('what the system does not let LevelDB read', () => {
  beforeEach(async () => {
    await (await filled(folder)).close();
    // Opened once more, so that LevelDB has made a table of its log.
    await loadOnce(folder);
  });

  /** Puts in the place of a file what cannot be opened, whoever asks: a link to itself. */
  async function hide(suffix: RegExp): Promise<() => Promise<void>> {
    const name = (await readdir(rowsFolder())).find((each) => suffix.test(each))!;
    const file = join(rowsFolder(), name);
    await rename(file, `${file}.hidden`);
    await symlink(name, file);
    return () => rename(`${file}.hidden`, file);
  }

  test.each([
    ['the list of its files', /^MANIFEST/],
    ['a table', /\.ldb$/],
  ])('%s: refused and named, and left as it is, however often it is started', async (_name, suffix) => {
    const giveBack = await hide(suffix);
    for (let start = 0; start < 4; start += 1) {
      await expect(loadOnce(folder)).rejects.toMatchObject({
        code: 'STATE_OPEN_FAILED',
        message: expect.stringMatching(/\/state\/rows\/.*: Too many levels of symbolic links/),
      });
    }
    await giveBack();
    expect(await loadOnce(folder)).toMatchObject({ ok: true, ...at(3) });
  });
});

test('after two runs without a clean stop the rows are made anew: LevelDB may have been the reason', async () => {
  await (await filled(folder)).close();
  const opener = new Opener({ KEEP_OPEN: '1' });
  for (const ok of [true, true, false]) {
    expect(await opener.load(folder)).toMatchObject({ ok });
    await opener.kill();
  }
  for (let round = 0; round < 3; round += 1) {
    expect(await opener.load(folder)).toMatchObject({ ok: true, seq: 0 });
    await opener.kill();
    await (await LevelStore.open(folder)).close();
  }
});

test('who only looks throws nothing away, and does not count', async () => {
  await (await filled(folder)).close();
  const looked = async () => {
    const store = await LevelStore.open(folder, { readOnly: true });
    const loaded = await store.load();
    await store.close();
    return loaded;
  };
  const opener = new Opener({ KEEP_OPEN: '1' });
  for (let run = 0; run < 2; run += 1) {
    await opener.load(folder);
    await opener.kill();
  }
  expect(await looked()).toMatchObject({ ok: true, ...at(3) });
  // The third start still knows of two that did not end.
  expect(await opener.load(folder)).toMatchObject({ ok: false });
  await opener.kill();
  await (await filled(folder)).close();
  const names = await readdir(rowsFolder());
  await writeFile(join(rowsFolder(), names.find((name) => name.startsWith('MANIFEST'))!), 'not LevelDB');
  expect(await looked()).toMatchObject({ ok: false });
  expect((await readdir(rowsFolder())).some((name) => name.endsWith('.ldb') || name.endsWith('.log'))).toBe(
    true,
  );
  expect(await looked()).toMatchObject({ ok: false });
});

test('a failed flush stops the store for good', async () => {
  const store = await LevelStore.open(folder);
  await store.load();
  store.put(at(1), rowsOf({ a: '1' }));
  await store.flush();
  // A folder in the place of the next log file: LevelDB cannot go on once its 4 MB buffer is full.
  await rm(rowsFolder(), { recursive: true });
  let seq = 1;
  const failing = async () => {
    for (; seq < 20; seq += 1) {
      store.put(at(seq), new Map([[`big${seq}`, 'x'.repeat(3_000_000)]]));
      await store.flush();
    }
  };
  await expect(failing()).rejects.toMatchObject({ code: 'STATE_WRITE_FAILED' });
  await expect(store.flush()).rejects.toMatchObject({ code: 'STATE_WRITE_FAILED' });
  await store.close();
});

test('flipped bits in the LevelDB files never give a wrong state', { timeout: 120_000 }, async () => {
  const seed = runSeed();
  console.info(`BERTH_SEED=${seed}`);
  const random = seeded(seed);
  const states = await writeHistory(folder);
  const outcomes = { current: 0, older: 0, refused: 0, aborted: 0 };
  const opener = new Opener();
  for (let flip = 0; flip < 100; flip += 1) {
    const copy = join(folder, `copy${flip}`);
    await cp(join(folder, 'state'), join(copy, 'state'), { recursive: true });
    const where = await flipOneBit(copy, random);
    const label = `BERTH_SEED=${seed}, flip ${flip}: ${where}`;
    let loaded = await opener.load(copy);
    for (let retry = 0; loaded === null && retry < 2; retry += 1) {
      outcomes.aborted += 1;
      loaded = await opener.load(copy);
    }
    if (loaded === null) expect.fail(`no start gets past the damage: ${label}`);
    if (loaded.ok) {
      const expected = states.get(loaded.seq);
      expect(new Map(loaded.rows), label).toEqual(expected);
      expect(loaded.hash, label).toBe(loaded.seq === 0 ? START.hash : at(loaded.seq).hash);
      outcomes[loaded.seq === states.size - 1 ? 'current' : 'older'] += 1;
    } else outcomes.refused += 1;
  }
  await opener.kill();
  console.info(outcomes);
  expect(outcomes.refused).toBeGreaterThan(0);
  expect(outcomes.current).toBeGreaterThan(0);
});

function rowsFolder(): string {
  return join(folder, 'state', 'rows');
}

async function filled(dataFolder: string): Promise<LevelStore> {
  const store = await LevelStore.open(dataFolder);
  await store.load();
  store.put(at(3), rowsOf({ a: '1', b: '2', c: '3' }));
  await store.flush();
  return store;
}

async function loadOnce(dataFolder: string) {
  const store = await LevelStore.open(dataFolder);
  try {
    return await store.load();
  } finally {
    await store.close();
  }
}

async function editMeta(rows: Level<string, string>, change: Record<string, unknown>): Promise<void> {
  const meta: unknown = JSON.parse((await rows.get('\0meta')) ?? 'null');
  await rows.put('\0meta', JSON.stringify(Object.assign({}, meta, change)));
}

/** Several flushes over several starts, so that there are tables as well as a log. Returns the state at each position. */
async function writeHistory(dataFolder: string): Promise<Map<number, Map<string, string>>> {
  const states = new Map([[0, new Map<string, string>()]]);
  let seq = 0;
  for (let start = 0; start < 4; start += 1) {
    const store = await LevelStore.open(dataFolder);
    const loaded = await store.load();
    if (!loaded.ok) throw new Error(loaded.reason);
    const { rows } = loaded;
    for (let flush = 0; flush < 5; flush += 1) {
      seq += 1;
      const changes = new Map<string, string>();
      for (let row = 0; row < 12; row += 1) {
        changes.set(`lease/${(seq * 5 + row) % 60}`, JSON.stringify({ seq, row }));
      }
      for (const [key, value] of changes) rows.set(key, value);
      store.put(at(seq), rowsOf(Object.fromEntries(changes)));
      await store.flush();
      states.set(seq, new Map(rows));
    }
    await store.close();
  }
  return states;
}

async function flipOneBit(dataFolder: string, random: (below: number) => number): Promise<string> {
  const files: string[] = [];
  for (const part of ['rows', 'rows', 'rows', 'lock']) {
    const parent = join(dataFolder, 'state', part);
    for (const name of await readdir(parent)) {
      if (!/^LO/.test(name)) files.push(join(parent, name));
    }
  }
  for (;;) {
    const file = files[random(files.length)]!;
    const bytes = await readFile(file);
    if (bytes.length === 0) continue;
    const bit = random(bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    await writeFile(file, bytes);
    return `${file} bit ${bit}`;
  }
}

const OPENER = `
  import { createInterface } from 'node:readline';
  import { LevelStore } from '@berth/server/store/level-store';
  for await (const folder of createInterface({ input: process.stdin })) {
    const store = await LevelStore.open(folder);
    const loaded = await store.load();
    if (!process.env.KEEP_OPEN) await store.close();
    console.log(JSON.stringify(loaded.ok ? { ...loaded, rows: [...loaded.rows] } : loaded));
  }
`;

type Answer =
  | { ok: true; seq: number; hash: string; rows: [string, string][] }
  | { ok: false; reason: string };

/** Opens stores in another process, which LevelDB may abort: then the answer is null and the next one gets a new process. */
class Opener {
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcessByStdio<Writable, Readable, null> | null = null;
  #lines: AsyncIterator<string> | null = null;

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = { ...process.env, ...env };
  }

  async load(dataFolder: string): Promise<Answer | null> {
    if (!this.#child || !this.#lines) {
      this.#child = spawn(process.execPath, ['--input-type=module', '-e', OPENER], {
        cwd: import.meta.dirname,
        env: this.#env,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      // An aborted process is noticed at its last line.
      this.#child.stdin.on('error', () => {});
      this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    }
    this.#child.stdin.write(`${dataFolder}\n`);
    const line = await this.#lines.next();
    if (!line.done) return JSON.parse(line.value);
    this.#child = null;
    return null;
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

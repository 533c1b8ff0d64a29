import { expect, test } from 'vitest';
import { lineOf } from './blank.js';
import { importsOf } from './imports.js';
import { type Source, sourceOf, sourcesUnder } from './sources.js';

/** Every timer of the server, and why it cannot be a moment in the expiry queue. */
const serverTimers: { readonly [path: string]: string } = {
  'server/src/engine/ticker.ts': 'the only expiry timer: it merely submits what is due',
  'server/src/server.ts': 'writes the state behind, and a checkpoint every hour',
  'server/src/later.ts': 'when a mail that was not taken, or a bulk job that cannot go on, is tried again',
  'server/src/ops/disk.ts': 'looks at the free space now and then',
  'server/src/transport/certificate-keeper.ts': 'looks daily whether the certificate is to be renewed',
  'server/src/transport/accepted-sockets.ts': 'how long a peer may say nothing before TLS',
  'server/src/transport/connection.ts': 'how long a handshake may take, and pings to find dead sockets',
  'server/src/transport/handshake-pace.ts': 'when the next of those who wait for TLS may begin',
  'server/src/transport/drain.ts': 'how long clients get at a stop',
  'server/src/commands/running.ts': 'ends a stop that hangs, so that SIGTERM always ends the process',
};

/** `setTimeout` and `setInterval` in any form, imported ones too. */
const usesTimer = ({ code }: Source): boolean => /\b(setTimeout|setInterval)\b/.test(code);

test('server/src: timers are where they are known to be', () => {
  const files = sourcesUnder('server/src').filter(usesTimer);
  const unknown = files.filter(({ path }) => !(path in serverTimers)).map(({ path }) => path);
  expect(unknown, 'submit a command with a time instead, or add a reason to serverTimers').toEqual([]);
  const stale = Object.keys(serverTimers).filter((path) => !files.some((source) => source.path === path));
  expect(stale, 'has no timer any more: take it off the list').toEqual([]);
  for (const line of ['setInterval(f, 1);', "import { setTimeout as pause } from 'node:timers/promises';"]) {
    expect(usesTimer(sourceOf('server/src/x.ts', line)), line).toBe(true);
  }
  expect(usesTimer(sourceOf('server/src/x.ts', '// no setTimeout here'))).toBe(false);
});

/** Files that may pause, and for what. A pause that stands for "by then it will have happened" is no reason. */
const maySleep: { readonly [path: string]: string } = {
  'test/system/waiting.ts': 'looks again and again until something is so',
  'test/system/chaos.ts': 'a plugin that works for a random time before its next step',
  'test/system/plugin.ts': 'tries again to connect while the server is down',
  'test/torture/crowd.ts': 'clients that work for a random time before their next step',
  'test/torture/generation.ts': 'kills at a random moment: the moment is the input',
  'test/torture/bulk/bulk.ts': 'kills at a random moment: the moment is the input',
  'test/system/kill-rounds.test.ts': 'kills at a random moment: the moment is the input',
};

/** A fixed pause: `new Promise((resolve) => setTimeout(resolve, 100))`, or the promised one of Node. */
function sleeps(source: Source): string[] {
  const made = [
    ...source.code.matchAll(/new Promise(<[^>]*>)?\(\s*\(?\s*\w*\s*\)?\s*=>\s*\{?\s*setTimeout\b/g),
  ].map((match) => lineOf(source.code, match.index));
  const imported = importsOf(source)
    .filter(({ specifier }) => /^(node:)?timers\/promises$/.test(specifier))
    .map(({ line }) => line)
    .filter(() => /\b(setTimeout|scheduler)\b/.test(source.code));
  return [...made, ...imported].map((line) => `${source.path}:${line}`);
}

test('tests wait for readiness and never sleep', () => {
  const found = sourcesUnder('test').filter(({ path }) => !(path in maySleep));
  expect(found.flatMap(sleeps), 'wait for what is expected, or use a fake clock (STYLE 10)').toEqual([]);
  const stale = Object.keys(maySleep).filter(
    (path) => !sourcesUnder('test').some((source) => source.path === path && sleeps(source).length > 0),
  );
  expect(stale, 'does not pause any more: take it off the list').toEqual([]);
  const wrong = [
    'await new Promise((resolve) => setTimeout(resolve, 100));',
    'await new Promise<void>((done) => {\n  setTimeout(done, ms);\n});',
    "import { setTimeout as sleep } from 'node:timers/promises';",
  ];
  for (const line of wrong) expect(sleeps(sourceOf('test/x.test.ts', line)), line).toHaveLength(1);
  const limit = 'const timer = setTimeout(() => reject(new Error()), 5000);';
  expect(sleeps(sourceOf('test/x.test.ts', limit))).toEqual([]);
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serverLayers, wrongLayers, wrongPackages } from './directions.js';
import { importsOf } from './imports.js';
import { packageFolders, packageOf, read, sourceOf, sources, sourcesUnder } from './sources.js';

/** What the rule says about a file with these lines in it. */
const planted = (path: string, ...lines: string[]) => sourceOf(path, lines.join('\n'));

test('packages: protocol <- client-sdk <- admin-cli, protocol <- server, and the server never the SDK', () => {
  expect(sources.flatMap(wrongPackages), 'turn the dependency around, or move the code (DESIGN 1)').toEqual(
    [],
  );
});

test('packages: a wrong import is found', () => {
  const wrong: [string, string][] = [
    ['protocol/src/x.ts', "import { Server } from '@berth/server/server';"],
    ['server/src/engine/x.ts', "import { connect } from '@berth/client';"],
    ['server/src/x.ts', "import type { Seat } from '@berth/client';"],
    ['client-sdk/src/x.ts', "export * from '@berth/server/ops/clock';"],
    ['admin-cli/src/commands/x.ts', "const { Engine } = await import('@berth/server/engine/engine');"],
    ['admin-cli/src/x.ts', "import { limits } from '../../protocol/src/limits.js';"],
    ['examples/demo/x.ts', "import '@berth/cli/main';"],
  ];
  for (const [path, line] of wrong) expect(wrongPackages(planted(path, line)), line).toHaveLength(1);
  expect(wrongPackages(planted('admin-cli/src/x.ts', "import { connect } from '@berth/client';"))).toEqual(
    [],
  );
});

test('server/src: transport, admin and ops above engine above store and domain; only the root files compose', () => {
  const breaches = sourcesUnder('server/src').flatMap(wrongLayers);
  expect(breaches, 'pass the thing in from server.ts instead of importing it (DESIGN 1)').toEqual([]);
});

test('server/src: a wrong import is found', () => {
  const wrong: [string, string][] = [
    ['domain/decide/x.ts', "import { Journal } from '../../store/journal.js';"],
    ['store/x.ts', "import type { Engine } from '../engine/engine.js';"],
    ['store/x.ts', "import { evolve } from '../domain/evolve.js';"],
    ['engine/x.ts', "import type { Caller } from '../transport/api.js';"],
    ['transport/x.ts', "import type { State } from '../domain/state.js';"],
    ['transport/x.ts', "import { resolveConfig } from '../ops/config.js';"],
    ['admin/x.ts', "import { Listener } from '../transport/listener.js';"],
    ['admin/x.ts', "import { createMetrics } from '../ops/metrics.js';"],
    ['ops/x.ts', "import { Server } from '../server.js';"],
  ];
  for (const [path, line] of wrong) {
    expect(wrongLayers(planted(`server/src/${path}`, line)), `${path}: ${line}`).toHaveLength(1);
  }
  const right = planted('server/src/store/x.ts', "import type { State } from '../domain/state.js';");
  expect(wrongLayers(right)).toEqual([]);
});

test('server/src: every folder is a layer with a rule', () => {
  const folders = new Set(sourcesUnder('server/src').map(({ path }) => path.split('/')[2]!));
  const layers = [...folders].filter((name) => !name.endsWith('.ts') && name !== 'commands');
  expect(Object.keys(serverLayers), 'a new layer needs a row in directions.ts').toEqual(
    expect.arrayContaining(layers),
  );
});

/** What joins the core to Node: the public entry, and the one for our own tests. */
const sdkEntries = ['client-sdk/src/index.ts', 'client-sdk/src/internal.ts'];

/** The SDK runs in every JavaScript host a plugin lives in: what it needs of Node is behind `Host`. */
const isCore = (path: string): boolean =>
  path.startsWith('client-sdk/src/') &&
  !path.startsWith('client-sdk/src/node/') &&
  !sdkEntries.includes(path);

const hostOnly = (source: (typeof sources)[number]): string[] =>
  importsOf(source).flatMap(({ line, specifier, target }) => {
    const isHosts =
      target.kind === 'builtin' ||
      (target.kind === 'package' && target.name === 'ws') ||
      (target.kind === 'ours' && target.path.startsWith('client-sdk/src/node/'));
    return isHosts ? [`${source.path}:${line} imports ${specifier}`] : [];
  });

test('client-sdk: Node and ws are only in client-sdk/src/node', () => {
  const breaches = sources.filter(({ path }) => isCore(path)).flatMap(hostOnly);
  expect(breaches, 'add what is needed to Host (client-sdk/src/host.ts)').toEqual([]);
  for (const line of [
    "import { join } from 'node:path';",
    "import type WebSocket from 'ws';",
    "import 'fs';",
  ]) {
    expect(hostOnly(planted('client-sdk/src/x.ts', line)), line).toHaveLength(1);
  }
});

const ours = (source: (typeof sources)[number]): string[] =>
  importsOf(source).flatMap(({ line, specifier, target }) =>
    target.kind === 'ours' && !target.path.startsWith('test/auditor/')
      ? [`${source.path}:${line} imports ${specifier}`]
      : [],
  );

test('test/auditor shares no code with what it judges, not even the protocol', () => {
  const breaches = sourcesUnder('test/auditor').flatMap(ours);
  expect(breaches, 'write it again from PROTOCOL.md: a shared bug is one the auditor cannot see').toEqual([]);
  for (const line of ["import { limits } from '@berth/protocol';", "import { rig } from '../unit/rig.js';"]) {
    expect(ours(planted('test/auditor/x.ts', line)), line).toHaveLength(1);
  }
});

const internals = (source: (typeof sources)[number]): string[] =>
  importsOf(source).flatMap(({ line, specifier }) =>
    specifier === '@berth/client/internal' ? [`${source.path}:${line} imports ${specifier}`] : [],
  );

test('@berth/client/internal is for tests', () => {
  const others = sources.filter(({ path }) => packageOf(path) !== 'test');
  expect(others.flatMap(internals), 'export it from index.ts if others need it').toEqual([]);
  expect(
    internals(planted('admin-cli/src/x.ts', "import { timing } from '@berth/client/internal';")),
  ).toHaveLength(1);
});

/** The packages a package.json names. */
function named(folder: string): string[] {
  const { dependencies, devDependencies } = JSON.parse(read(join(folder, 'package.json')));
  return Object.keys({ ...dependencies, ...devDependencies });
}

test('every package that is imported is named in the package.json of the importer', () => {
  // A test may use what the thing it tests uses, and the tools of the repository.
  const everywhere = ['', ...packageFolders].flatMap(named);
  const unnamed = sources.flatMap((source) => {
    const folder = packageOf(source.path);
    const known = folder === 'test' ? everywhere : named(folder ?? '');
    return importsOf(source)
      .filter(({ target }) => target.kind === 'package' && !known.includes(target.name))
      .map(({ line, specifier }) => `${source.path}:${line} imports ${specifier}`);
  });
  expect(unnamed, 'npm happens to hoist it today; name it').toEqual([]);
});

const direct = (source: (typeof sources)[number]): string[] =>
  importsOf(source).flatMap(({ line, specifier, target }) =>
    target.kind === 'package' && target.name === 'typebox' && source.path !== 'protocol/src/typebox.ts'
      ? [`${source.path}:${line} imports ${specifier}`]
      : [],
  );

test('TypeBox comes through protocol/src/typebox.ts: whoever imports it directly makes every start load its 700 files (decision 0009)', () => {
  expect(sources.flatMap(direct), "import it from './typebox.js' or '@berth/protocol/typebox'").toEqual([]);
  expect(direct(planted('protocol/src/x.ts', "import Type from 'typebox';"))).toHaveLength(1);
  expect(direct(planted('server/src/x.ts', "import { Compile } from 'typebox/compile';"))).toHaveLength(1);
});

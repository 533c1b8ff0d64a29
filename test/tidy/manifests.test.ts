import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { packageFolders, packages, read, root } from './sources.js';

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(read(folder === '' ? 'package.json' : `${folder}/package.json`));

function faultsOf(folder: string, manifest: Manifest): string[] {
  const faults = [];
  if (manifest.private !== true) faults.push('is not private');
  if (!manifest.name.startsWith('@berth/')) faults.push(`is named ${manifest.name}, not @berth/…`);
  if (manifest.type !== 'module') faults.push('is not of type module');
  if (manifest.license !== 'Apache-2.0') faults.push('is not under Apache-2.0');
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(version))
      faults.push(`asks for ${name}@${version}, which is not one version`);
  }
  return faults.map((fault) => `${folder}/package.json ${fault}`);
}

test('every workspace is private, scoped and pinned', () => {
  expect(['', ...packageFolders].flatMap((folder) => faultsOf(folder, manifestOf(folder)))).toEqual([]);
  const wrong = { name: 'berth', type: 'module', license: 'Apache-2.0', dependencies: { ws: '^8.0.0' } };
  expect(faultsOf('x', wrong)).toHaveLength(3);
});

test('the workspaces are the packages these tests know', () => {
  expect(manifestOf('').workspaces).toEqual(expect.arrayContaining([...packageFolders]));
  for (const folder of packageFolders) expect(manifestOf(folder).name).toBe(packages[folder]);
});

/** What git has: path -> mode. `null` outside a checkout. */
function committedModes(): Map<string, string> | null {
  try {
    const list = execFileSync('git', ['ls-files', '--stage'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    const rows = list.split('\n').filter((line) => line !== '');
    return new Map(rows.map((line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, 6)]));
  } catch {
    return null;
  }
}

function binFaults(path: string, mode: string | undefined, text: string): string[] {
  const faults = [];
  if (mode === undefined) faults.push('is not committed: npm ci could not link it');
  else if (mode !== '100755') faults.push(`is committed with mode ${mode}: run git update-index --chmod=+x`);
  if (!text.startsWith('#!/usr/bin/env node\n')) faults.push('does not begin with #!/usr/bin/env node');
  if (path.includes('/dist/')) faults.push('is built, so it is not there when npm ci links it');
  return faults.map((fault) => `${path} ${fault}`);
}

test('every bin is a committed, executable file that is not built', (context) => {
  const modes = committedModes();
  if (modes === null) return context.skip('not a git checkout');
  const bins = packageFolders.flatMap((folder) =>
    Object.values(manifestOf(folder).bin ?? {}).map((file) => `${folder}/${file}`),
  );
  expect(bins).toContain('server/bin/berthd.js');
  expect(bins.flatMap((path) => binFaults(path, modes.get(path), read(path)))).toEqual([]);
  expect(binFaults('a/bin/a.js', '100755', '#!/usr/bin/env node\n')).toEqual([]);
  expect(binFaults('a/bin/a.js', '100644', '#!/usr/bin/env node\n')).toHaveLength(1);
  expect(binFaults('a/dist/a.js', undefined, 'start();')).toHaveLength(3);
});

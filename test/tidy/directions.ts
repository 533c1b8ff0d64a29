import { type Import, importsOf } from './imports.js';
import { type PackageFolder, packageOf, type Source } from './sources.js';

/** What a package may import of ours, itself always included (DESIGN 1). */
export const packageDirections: { readonly [P in PackageFolder]: readonly PackageFolder[] } = {
  protocol: [],
  'client-sdk': ['protocol'],
  server: ['protocol'],
  'admin-cli': ['client-sdk', 'protocol'],
  examples: ['client-sdk', 'protocol'],
  test: ['protocol', 'client-sdk', 'server', 'admin-cli', 'examples'],
};

interface Layer {
  /** Folders or files under server/src, the layer itself not included. */
  readonly may: readonly string[];
  /** Only with `import type`. */
  readonly mayTypes?: readonly string[];
}

/** What a layer of the server may import. Files directly in server/src, and commands/, compose and may import everything. */
export const serverLayers: { readonly [folder: string]: Layer } = {
  domain: { may: [] },
  // records.ts encodes what the domain decided, so it knows its shapes; the journal and the stores know none.
  store: { may: [], mayTypes: ['domain'] },
  // Searches what the journal holds, in the words of the domain.
  audit: { may: ['domain', 'store'] },
  engine: { may: ['domain', 'store'] },
  // The configuration and the certificates must read a host name in the same way; a limit that IT may change has one default.
  transport: { may: ['ops/config-values.ts', 'ops/config-table.ts'] },
  admin: { may: ['domain', 'engine', 'transport/api.ts'], mayTypes: ['ops', 'mail', 'audit', 'backup'] },
  // It is told what to send by the rows of the outbox alone, and says what became of it by commands.
  mail: { may: ['domain'], mayTypes: ['ops'] },
  bulk: { may: ['domain'] },
  backup: { may: ['domain', 'store'], mayTypes: ['ops'] },
  ops: { may: [] },
};

/** One line for a person: where, what, and what the rule says. */
function breach(source: Source, { line, specifier }: Import, why: string): string {
  return `${source.path}:${line} imports ${specifier}: ${why}`;
}

/** Imports of a file that point the wrong way between packages. */
export function wrongPackages(source: Source): string[] {
  const from = packageOf(source.path);
  if (from === null) return [];
  const allowed: readonly PackageFolder[] = [from, ...packageDirections[from]];
  return importsOf(source).flatMap((row) => {
    if (row.target.kind !== 'ours') return [];
    const to = packageOf(row.target.path);
    if (to === null || !allowed.includes(to)) {
      return [breach(source, row, `${from} may import only ${allowed.join(', ')}`)];
    }
    const leaves = to !== from && row.specifier.startsWith('.');
    return leaves
      ? [breach(source, row, 'another package is imported by its name, through its exports')]
      : [];
  });
}

/** Imports of a file of the server that point the wrong way between its layers. */
export function wrongLayers(source: Source): string[] {
  const from = layerOf(source.path);
  const layer = from === null ? undefined : serverLayers[from];
  if (from === null || layer === undefined) return [];
  return importsOf(source).flatMap((row) => {
    if (row.target.kind !== 'ours' || !row.target.path.startsWith(SERVER)) return [];
    const path = row.target.path.slice(SERVER.length);
    const allowed = [from, ...layer.may, ...(row.typeOnly ? (layer.mayTypes ?? []) : [])];
    if (allowed.some((place) => path === place || path.startsWith(`${place}/`))) return [];
    return [breach(source, row, `${from}/ may import only ${describe(layer)}`)];
  });
}

const SERVER = 'server/src/';

/** The folder of server/src that a file is in; `null` for files that compose, or of other packages. */
function layerOf(path: string): string | null {
  const inside = path.startsWith(SERVER) ? path.slice(SERVER.length) : '';
  const folder = inside.includes('/') ? inside.slice(0, inside.indexOf('/')) : null;
  return folder === 'commands' ? null : folder;
}

function describe({ may, mayTypes = [] }: Layer): string {
  const all = ['itself', ...may, ...mayTypes.map((place) => `types of ${place}`)];
  return all.join(', ');
}

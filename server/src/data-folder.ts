import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatPublicKey, formatSecretKey, parseSecretKey } from '@berth/protocol';
import Type, { Compile, type Static } from '@berth/protocol/typebox';
import { privateKeyOf } from './ed25519.js';
import { StartError } from './start-error.js';
import { checkOf, withCheck } from './store/marker-check.js';
import { FOLDER_FORMAT } from './store/migrations.js';
import { FormatNewer } from './store/records.js';
import { VERSION } from './version.js';

/**
 * The data folder: all of a server in one place.
 *
 *     berthd.json    format version and what `berthd init` was told; its presence says the folder is complete
 *     keys/          server.key, the Ed25519 seed (0600)
 *     tls/           site authority and server certificate
 *     journal/       the truth
 *     state/         what it led to, and the lock
 */
export interface DataFolder {
  readonly path: string;
  readonly format: number;
  readonly identity: ServerIdentity;
  /** Settings that `berthd init` stored, by configuration key. */
  readonly stored: Readonly<Record<string, unknown>>;
}

export interface ServerIdentity {
  /** Made from the key: the same key is the same server. */
  readonly id: string;
  readonly publicKey: Uint8Array;
  /** `ed25519:…`. */
  readonly keyText: string;
  readonly seed: Uint8Array;
  readonly privateKey: KeyObject;
}

const Marker = Type.Object({
  format: Type.Integer({ minimum: 1 }),
  /** The berthd that made the folder or migrated it; format 1 does not say. */
  writtenBy: Type.Optional(Type.String()),
  server: Type.String(),
  settings: Type.Record(Type.String(), Type.Unknown()),
  /** Of everything before it; formats 1 and 2 have none. */
  check: Type.Optional(Type.String()),
});
const marker = Compile(Marker);

/** Throws StartError FOLDER_NOT_EMPTY unless the folder is missing or empty. */
export async function createDataFolder(path: string): Promise<ServerIdentity> {
  const found: string[] = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unreadable(path, error);
  });
  if (found.length > 0) {
    const what = found.includes('berthd.json') ? 'It holds a server already' : 'It is not empty';
    throw new StartError(
      'FOLDER_NOT_EMPTY',
      `${what}: ${resolve(path)}.`,
      'Choose another folder with --data, or serve this one: berthd serve --data DIR.',
    );
  }
  await makeFolderIn(path, 'keys');
  // Any 32 bytes are a key (RFC 8032 5.1.5). One that Node generates and exports can stand still for ever (device-keys.ts of the tests).
  const seed = randomBytes(32);
  await writeDurably(join(path, 'keys', 'server.key'), `${formatSecretKey(seed)}\n`, 0o600);
  return identityOf(seed);
}

/** A folder in the data folder, and those above it. Throws StartError. */
export async function makeFolderIn(path: string, name: string): Promise<void> {
  await makeFolder(resolve(path, name)).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
}

/** Step by step: Node's own way never returns where a folder can be named but not made, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path, { mode: 0o700 });
  }
}

/** The last step of `berthd init`: from now on the folder is a server. */
export async function completeDataFolder(
  path: string,
  identity: ServerIdentity,
  settings: Record<string, unknown>,
): Promise<void> {
  const value: Static<typeof Marker> = {
    format: FOLDER_FORMAT,
    writtenBy: VERSION,
    server: identity.id,
    settings,
  };
  await writeDurably(join(path, 'berthd.json'), `${JSON.stringify(withCheck(value), null, 2)}\n`, 0o600);
}

/** The first format whose `berthd.json` has a checksum. */
const CHECKED_FROM = 3;

/**
 * Throws StartError (NOT_INITIALISED, FOLDER_UNREADABLE, FOLDER_DAMAGED, FORMAT_OLDER) or FormatNewer.
 * @param options.older takes one of an older format too: to look at it, or to migrate it
 */
export async function openDataFolder(path: string, options: { older?: boolean } = {}): Promise<DataFolder> {
  const text = await readFile(join(path, 'berthd.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw unreadable(path, error);
    throw new StartError(
      'NOT_INITIALISED',
      `There is no server in ${resolve(path)}.`,
      'Make one: berthd init --data DIR --owner EMAIL.',
    );
  });
  const value = parseJson(text);
  if (!marker.Check(value)) throw damaged(path, 'berthd.json does not have its form');
  // Before another format is believed: a flipped bit makes a 2, a 1 or a 7 of a 3. No format before has a checksum, every later one has.
  if ((value.format >= CHECKED_FROM || value.check !== undefined) && value.check !== checkOf(value))
    throw damaged(
      path,
      'the checksum of berthd.json does not match, so its settings are not those of berthd init',
    );
  if (value.format > FOLDER_FORMAT) throw new FormatNewer(value.format, FOLDER_FORMAT, value.writtenBy);
  if (value.format < FOLDER_FORMAT && options.older !== true) throw older(path, value.format);
  const seed = parseSecretKey(
    await readFile(join(path, 'keys', 'server.key'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw damaged(path, `keys/server.key cannot be read (${error.code})`);
    }),
  );
  if (seed === null) throw damaged(path, 'keys/server.key is not a secret key');
  const identity = identityOf(seed);
  if (identity.id !== value.server) throw damaged(path, 'keys/server.key is not the key of this server');
  return { path, format: value.format, identity, stored: value.settings };
}

function identityOf(seed: Uint8Array): ServerIdentity {
  const privateKey = privateKeyOf(seed);
  const publicKey = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x!, 'base64url');
  const id = `srv-${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}`;
  return { id, publicKey, keyText: formatPublicKey(publicKey), seed, privateKey };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whole or not at all: written beside, synced, renamed, and the folder synced. */
async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(`${path}.new`, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const folder = await open(join(path, '..'), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): StartError {
  return new StartError(
    'FOLDER_UNREADABLE',
    `${resolve(path)} cannot be used: ${error.message}.`,
    'Check the path and its permissions.',
  );
}

function older(path: string, format: number): StartError {
  return new StartError(
    'FORMAT_OLDER',
    `The data folder ${resolve(path)} is of format ${format}; this berthd writes format ${FOLDER_FORMAT}. Nothing was changed.`,
    `Look first, then migrate; a copy is made: berthd migrate --data ${path} --dry-run`,
  );
}

function damaged(path: string, what: string): StartError {
  return new StartError(
    'FOLDER_DAMAGED',
    `The data folder ${resolve(path)} is damaged: ${what}.`,
    'Restore it from a backup; do not edit it.',
  );
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AuditLog } from '@berth/server/audit/audit-log';
import { type PruneRequest, Pruner } from '@berth/server/audit/pruner';
import { Engine } from '@berth/server/engine/engine';
import { type Recovered, recover } from '@berth/server/engine/recover';
import { BASE_HEADER_BYTES, decodeBaseHeader, encodeBaseHeader } from '@berth/server/store/base-format';
import { emptyMemoryDisk, type MemoryDisk, MemoryStore } from '@berth/server/store/memory-store';
import { FaultyFiles } from '../../store/faulty-files.js';
import { DAY_MS, START_MS } from '../domain/world.js';

/** Each segment has a handful of records. */
const SEGMENT_BYTES = 3000;
export const SPARE_BYTES = 256 * 1024 * 1024;
export const FOLDER = '/data';
export const owner = { device: 'd', email: 'it@studio.example' };

/** A disk with a data folder, its stored state, and a server on it that may be started again and again. */
export class Studio {
  clock = { monoMs: 0, wallMs: START_MS, steadyWallMs: START_MS };
  busy: { backup: boolean; older: 'reading' | 'damaged' | null } = { backup: false, older: null };
  /** What its pruner warned of. */
  readonly warned: { readonly details: object; readonly message: string }[] = [];
  #ids = 0;

  constructor(
    readonly files: FaultyFiles,
    readonly disk: MemoryDisk,
  ) {}

  /** @param how `lost`: the stored state is; `reread` as for `recover` */
  async start({ lost = false, reread }: { lost?: boolean; reread?: number } = {}) {
    const disk = lost ? emptyMemoryDisk() : this.disk;
    const store = await MemoryStore.open(disk);
    const rebuilt: string[] = [];
    const recovered = await recover({
      ...{ files: this.files, folder: FOLDER, segmentBytes: SEGMENT_BYTES, monoMs: 0, store },
      onCut: () => {},
      onRebuilt: (reason) => rebuilt.push(reason),
      ...(reread === undefined ? {} : { reread }),
    });
    const { state, journal } = recovered;
    let died: (error: unknown) => void = () => {};
    const dead = new Promise<never>((_, reject) => {
      died = reject;
    });
    dead.catch(() => {});
    const engine = new Engine({
      ...{ state, journal, clock: { now: () => this.clock }, leaseSeconds: 120, diskLow: () => false },
      newId: (letter) => `${letter}${String(this.#ids++).padStart(8, '0')}`,
      onCommitted: ({ position, rows }) => store.put(position, rows),
      onFatal: died,
    });
    const isRead = (): boolean => this.busy.backup;
    const audit = new AuditLog(this.files, journal, `${FOLDER}/audit`);
    const pruner = new Pruner({
      ...{ state, journal, audit, store, onFatal: died, wallMs: () => this.clock.wallMs },
      backups: {
        get isRead() {
          return isRead();
        },
        alone: (work) => work(),
      },
      older: () => this.busy.older,
      spareBytes: () => SPARE_BYTES,
      submit: (command) => Promise.race([engine.submit(command), dead]),
      sign: ({ seq, hash }) => `signed ${seq} ${hash}`,
      log: { info: () => {}, warn: (details, message) => void this.warned.push({ details, message }) },
    });
    return { ...recovered, rebuilt, engine, audit, pruner, store };
  }

  async stop({ engine, journal, store }: Awaited<ReturnType<Studio['start']>>): Promise<void> {
    await engine.stop();
    await store.flush();
    await journal.close();
    await store.close();
  }

  clone(): Studio {
    const studio = new Studio(this.files.clone(), { meta: this.disk.meta, rows: new Map(this.disk.rows) });
    studio.clock = { ...this.clock };
    studio.#ids = this.#ids;
    return studio;
  }
}

/** The last record of a segment, and its hash. */
export interface End {
  readonly seq: number;
  readonly hash: string;
}

/** A stopped server with a journal of some files, 40 days later, and the end of one in the middle of them. */
export async function oldStudio(): Promise<{ template: Studio; until: End }> {
  const files = new FaultyFiles();
  await files.makeFolder(FOLDER);
  await files.makeFolder(`${FOLDER}/audit`);
  const template = new Studio(files, emptyMemoryDisk());
  const server = await template.start();
  const found = { name: 'Studio', serverId: 'srv', serverKey: 'key', epoch: 'e', owner: owner.email };
  await server.engine.submit({ type: 'found', ...found, invitationMs: 100 * DAY_MS });
  await invite(server, 16);
  const middle = server.journal.segments[server.journal.segments.length >> 1]!;
  const until = (await server.journal.endOfSegment(middle.firstSeq - 1))!;
  await template.stop(server);
  template.clock.wallMs += 40 * DAY_MS;
  template.clock.steadyWallMs += 40 * DAY_MS;
  return { template, until };
}

export async function invite(
  { engine, journal }: Pick<Awaited<ReturnType<Studio['start']>>, 'engine' | 'journal'>,
  many: number,
) {
  for (let at = 0; at < many; at++) {
    const email = `user${journal.position.seq}@studio.example`;
    await engine.submit({
      ...{ type: 'invite', by: owner, email, name: email, role: 'user', device: false },
      ...{ request: { device: 'd', key: `key-${email}`, hash: 'hash' }, invitationMs: 100 * DAY_MS },
    });
  }
}

/** Asks for everything up to `until` to go. */
export function askingFor({ seq, hash }: End, more: Partial<PruneRequest> = {}): PruneRequest {
  return {
    until: seq,
    head: Buffer.from(hash, 'hex').toString('base64url'),
    by: owner,
    request: { device: 'd', key: 'prune', hash: 'hash' },
    ...more,
  };
}

export function rowsOf({ state }: Pick<Recovered, 'state'>): unknown {
  return Object.entries(state.tables).map(([name, table]) => [name, [...table.entries()].sort()]);
}

export const on = async (): Promise<boolean> => true;

/** Pruned, with records behind it, and stopped. @returns what it served */
export async function prunedStudio(
  template: Studio,
  until: End,
): Promise<{ studio: Studio; served: unknown }> {
  const studio = template.clone();
  const server = await studio.start();
  assert.equal((await server.pruner.prune(askingFor(until))).ok, true);
  await invite(server, 5);
  await studio.stop(server);
  return { studio, served: rowsOf(server) };
}

/** The one file of a base that there is. */
export function baseIn(studio: Studio): string {
  const names = studio.files.names(`${FOLDER}/journal`).filter((each) => each.includes('base'));
  assert.equal(names.length, 1, names.join(' '));
  assert.match(names[0]!, /^\d{20}\.base$/);
  return `${FOLDER}/journal/${names[0]}`;
}

/** The base with another owner, and everything in its header as it must be. */
export function withOtherRows(base: Buffer): Buffer {
  const facts = decodeBaseHeader(base.subarray(0, BASE_HEADER_BYTES))!;
  const rows = Buffer.from(base.subarray(BASE_HEADER_BYTES));
  rows.write('mallory@', rows.indexOf('it@studi'));
  const sha256 = createHash('sha256').update(rows).digest('hex');
  return Buffer.concat([encodeBaseHeader({ ...facts, sha256 }), rows]);
}

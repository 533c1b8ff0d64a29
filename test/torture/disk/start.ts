import { loadCertificate } from '@berth/server/certificate';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { recover } from '@berth/server/engine/recover';
import { systemClock } from '@berth/server/ops/clock';
import { type FileSystem, nodeFiles } from '@berth/server/store/files';
import { LevelStore } from '@berth/server/store/level-store';
import { rowsOf } from '../reopen.js';

/** Everything a server takes from its folder, as text that can be compared. */
export interface Served {
  /** What it is, with which settings, keys and authority. */
  readonly facts: Readonly<Record<string, string>>;
  readonly rows: ReadonlyMap<string, string>;
  /** What it said it had to make anew, cut or mend. */
  readonly said: readonly string[];
}

/**
 * The steps of `berthd serve` up to the moment at which it would listen, and of its stop. Rejects as that does.
 * @param files the disk of the journal
 */
export async function startAndStop(path: string, files: FileSystem = nodeFiles): Promise<Served> {
  const folder = await openDataFolder(path);
  const config = await readConfig({}, folder.stored);
  const said: string[] = [];
  const store = await LevelStore.open(path);
  try {
    const { state, journal } = await recover({
      files,
      folder: path,
      store,
      monoMs: systemClock.now().monoMs,
      onCut: ({ file, seq }) => said.push(`cut ${file} at ${seq}`),
      onRebuilt: (reason) => said.push(`rebuilt: ${reason}`),
    });
    await journal.close();
    const tls = await loadCertificate({ folder: path, nowMs: () => systemClock.now().wallMs }, config);
    if (!tls.ok) throw Object.assign(new Error(tls.problem.message), { code: tls.problem.code });
    const { issued, ca, source } = tls.value;
    if (issued !== undefined) said.push(`certificate: ${issued}`);
    const rows = rowsOf(state);
    await store.flush();
    const { id, keyText, seed } = folder.identity;
    const secret = Buffer.from(seed).toString('hex');
    const facts = { id, keyText, secret, ca: onlyPem(ca), source, config: JSON.stringify(config) };
    return { facts, rows, said };
  } finally {
    await store.close();
  }
}

/** The certificate itself: what stands around it in its file is of no consequence. */
function onlyPem(text: string): string {
  return text.replaceAll(/\s/g, '');
}

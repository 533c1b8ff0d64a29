import { loadCertificate } from '@berth/server/certificate';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { recover } from '@berth/server/engine/recover';
import { systemClock } from '@berth/server/ops/clock';
import type { Config } from '@berth/server/ops/config';
import { nodeFiles } from '@berth/server/store/files';
import { JournalCorrupt } from '@berth/server/store/journal';
import { LevelStore } from '@berth/server/store/level-store';
import { verifyOlder } from '@berth/server/store/older-records';
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
 * @param part only the steps that read the tls folder, or only those that read the others: each is half of what a start costs
 */
export async function startAndStop(path: string, part: 'all' | 'tls' | 'state' = 'all'): Promise<Served> {
  const folder = await openDataFolder(path);
  const config = await readConfig({}, folder.stored);
  const said: string[] = [];
  const rows = part === 'tls' ? new Map<string, string>() : await stateOf(path, said);
  const tls = part === 'state' ? {} : await authority(path, config, said);
  const { id, keyText, seed } = folder.identity;
  const secret = Buffer.from(seed).toString('hex');
  return { facts: { id, keyText, secret, config: JSON.stringify(config), ...tls }, rows, said };
}

async function stateOf(path: string, said: string[]): Promise<Map<string, string>> {
  const store = await LevelStore.open(path);
  try {
    const { state, journal } = await recover({
      ...{ files: nodeFiles, folder: path, store, monoMs: systemClock.now().monoMs },
      // As a start does whose journal is long: what it leaves unread is judged behind it, as OlderRecords does (decision 0015).
      reread: 0,
      onCut: ({ file, seq }) => said.push(`cut ${file} at ${seq}`),
      onRebuilt: (reason) => said.push(`rebuilt: ${reason}`),
    });
    await verifyOlder(nodeFiles, journal, async () => true).catch((error: unknown) => {
      if (!(error instanceof JournalCorrupt)) throw error;
      said.push(`JOURNAL_DAMAGED: ${error.message}`);
    });
    await journal.close();
    await store.flush();
    return rowsOf(state);
  } finally {
    await store.close();
  }
}

async function authority(path: string, config: Config, said: string[]): Promise<Record<string, string>> {
  const tls = await loadCertificate({ folder: path, nowMs: () => systemClock.now().wallMs }, config);
  if (!tls.ok) throw Object.assign(new Error(tls.problem.message), { code: tls.problem.code });
  const { issued, ca, source } = tls.value;
  if (issued !== undefined) said.push(`certificate: ${issued}`);
  return { ca: onlyPem(ca), source };
}

/** The certificate itself: what stands around it in its file is of no consequence. */
function onlyPem(text: string): string {
  return text.replaceAll(/\s/g, '');
}

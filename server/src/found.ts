import { loadCertificate, startError } from './certificate.js';
import { completeDataFolder, createDataFolder, type ServerIdentity } from './data-folder.js';
import { emptyState } from './domain/state.js';
import { nativeSigner } from './ed25519.js';
import { Engine } from './engine/engine.js';
import { systemClock } from './ops/clock.js';
import type { Config } from './ops/config.js';
import { randomId, randomText } from './random.js';
import { nodeFiles } from './store/files.js';
import { Journal } from './store/journal.js';
import { LevelStore } from './store/level-store.js';

/**
 * Makes a server in an empty folder. Its last step makes the folder a server: before that, nobody serves it.
 * @returns the invitation that the owner's join link carries. @throws StartError
 */
export async function foundServer(
  folder: string,
  organisation: { readonly name: string; readonly owner: string },
  config: Config,
  settings: Record<string, unknown>,
): Promise<{ readonly identity: ServerIdentity; readonly invitation: string }> {
  const identity = await createDataFolder(folder);
  const invitation = await foundOrganisation(
    folder,
    { ...organisation, serverId: identity.id, serverKey: identity.keyText },
    config,
  );
  const nowMs = (): number => systemClock.now().wallMs;
  const tls = await loadCertificate({ folder, nowMs }, config);
  if (!tls.ok) throw startError(tls.problem);
  nativeSigner(identity.privateKey)(Buffer.from('self-test')); // a key that cannot sign must not go into service
  await completeDataFolder(folder, identity, settings);
  return { identity, invitation };
}

/** Writes the first record of the journal. */
async function foundOrganisation(
  folder: string,
  organisation: { name: string; owner: string; serverId: string; serverKey: string },
  config: Config,
): Promise<string> {
  const store = await LevelStore.open(folder);
  const journal = await Journal.open({ files: nodeFiles, folder, onRecord: () => {} });
  try {
    return await new Promise<string>((resolve, reject) => {
      const engine = new Engine({
        state: emptyState(),
        journal,
        clock: systemClock,
        newId: randomId,
        leaseSeconds: config.leaseSeconds,
        diskLow: () => false,
        onCommitted: () => {},
        onFatal: reject,
      });
      const invitationMs = config.invitationHours * 3_600_000;
      const command = { type: 'found', ...organisation, epoch: randomText(12), invitationMs } as const;
      engine
        .submit(command)
        .then(
          (settled) => (settled.ok ? resolve(settled.outcome.invitation) : reject(new Error(settled.code))),
          reject,
        );
    });
  } finally {
    await journal.close();
    await store.close();
  }
}

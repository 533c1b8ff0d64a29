import { encodeBase64Url, strictly } from '@berth/protocol';
import type { HandlerDeps } from '@berth/server/admin/deps';
import type { BackupSource } from '@berth/server/backup/source';
import { Invitations } from '@berth/server/engine/invitations';
import { Issuer } from '@berth/server/engine/issuer';
import { Rollback } from '@berth/server/engine/rollback';
import { createGate } from '@berth/server/gate';
import type { OlderRecords } from '@berth/server/older-records';
import type { KnownHashes } from '@berth/server/store/known-hashes';
import type { Gate } from '@berth/server/transport/api';
import type { SimCrypto } from './sim-crypto.js';
import type { SimIdentity } from './sim-identity.js';
import type { Dice } from './sim-random.js';

const DAY_MS = 86_400_000;

/** Who the server is, and what it would get from Node. */
export interface GateParts {
  readonly crypto: SimCrypto;
  readonly dice: Dice;
  readonly leaseSeconds: number;
  readonly identity: SimIdentity;
  readonly mail: HandlerDeps['mail'];
}

/** The real handlers over one running engine, as `server.ts` puts them together. */
export function simGate(
  running: Pick<HandlerDeps, 'state' | 'engine' | 'sessions' | 'clock' | 'audit' | 'pruner'> & {
    readonly hashes: KnownHashes;
    readonly source: BackupSource;
    readonly older: OlderRecords;
  },
  { crypto, dice, leaseSeconds, identity, mail }: GateParts,
): Gate {
  const { key, keyText, seed } = identity;
  const sign = (message: Uint8Array): Uint8Array => key.sign(message);
  const deps: HandlerDeps = {
    ...running,
    issuer: new Issuer(sign),
    invitations: new Invitations(seed),
    verify: strictly(crypto.verify),
    rollback: new Rollback({
      ...{ ...running, serverKey: key.publicKey, verify: strictly(crypto.verify) },
      randomText: (bytes) => encodeBase64Url(dice.bytes(bytes)),
      onRolledBack: () => {},
      onClaim: () => {},
    }),
    metrics: { checkout: () => {}, denial: () => {}, waited: () => {} },
    address: () => ({ host: 'berth', port: 7433 }),
    serverKey: key.publicKey,
    invitationMs: 7 * DAY_MS,
    mail,
    backup: {
      source: running.source,
      mend: (error) => running.older.mend(error),
      timer: () => ({ everyMs: null, failed: null }),
    },
    version: 'simulated',
  };
  const known = { id: 'srv-sim', keyText, publicKey: key.publicKey, seed };
  const live = { leaseSeconds: () => leaseSeconds, adminAddress: () => null };
  const gate = createGate(running.state, deps, known as Parameters<typeof createGate>[2], sign, live);
  return {
    ...gate,
    get readmits() {
      return gate.readmits;
    },
    randomText: (bytes) => encodeBase64Url(dice.bytes(bytes)),
  };
}

import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type EntitlementClaims,
  formatAddress,
  formatPublicKey,
  formatSecretKey,
  signToken,
} from '@berth/protocol';
import { openDataFolder } from '../data-folder.js';
import type { By, RequestKey } from '../domain/commands.js';
import { nativeSigner, privateKeyOf } from '../ed25519.js';
import { systemClock } from '../ops/clock.js';
import { randomText } from '../random.js';
import type { Server } from '../server.js';

export const DEV_OWNER = 'dev@berth.example';

/** One that is shared by everything on a computer and can be borrowed, and one whose every process takes a seat. */
export const DEV_PRODUCTS = [
  { product: 'render', seats: 5, share: 'device' },
  { product: 'sim', seats: 2, share: 'process' },
] as const;

export interface DevSite {
  readonly address: string;
  /** For BERTH_HOME: a context that has joined. */
  readonly home: string;
  readonly vendorKey: string;
}

const DAY_SECONDS = 86_400;

/** Enrols this computer and imports the sample products, as an owner and a vendor would. */
export async function furnish(options: {
  readonly server: Server;
  readonly data: string;
  readonly home: string;
  readonly invitation: string;
}): Promise<DevSite> {
  const { server, data, home, invitation } = options;
  const { identity } = await openDataFolder(data);
  const [lease, admin, vendor] = [newKey(), newKey(), newKey()];
  const enrolled = await server.submit({
    type: 'enrol',
    invitation,
    leaseKey: lease.text,
    adminKey: admin.text,
    name: 'dev',
  });
  if (!enrolled.ok) throw new Error(enrolled.code);
  const by: By = { device: enrolled.outcome.device, email: DEV_OWNER };
  for (const sample of DEV_PRODUCTS) {
    const claims = entitlement(sample, vendor.text, identity.keyText);
    const token = signToken('entitlement', claims, nativeSigner(vendor.privateKey));
    const settled = await server.submit({ type: 'import', by, request: request(by.device), claims, token });
    if (!settled.ok) throw new Error(settled.code);
  }
  const address = formatAddress({ host: server.host, port: server.port });
  const context = {
    name: 'dev',
    servers: [address],
    adminServers: server.admin === null ? null : [formatAddress(server.admin)],
    serverId: identity.id,
    serverKey: identity.keyText,
    caPem: await readFile(join(data, 'tls', 'ca.crt'), 'utf8'),
    email: DEV_OWNER,
    device: by.device,
    deviceName: 'dev',
    scopes: ['lease', 'admin'],
    organisation: 'Dev',
    joinedWith: null,
  };
  // What `berth join` leaves on a disk (client-sdk/src/identity-store.ts); the system test joins the two.
  await write(join(home, 'config/contexts/dev.json'), JSON.stringify(context, null, 2));
  await write(join(home, 'config/current'), 'dev');
  await write(join(home, 'state/dev/lease.key'), formatSecretKey(lease.seed));
  await write(join(home, 'state/dev/admin.key'), formatSecretKey(admin.seed));
  return { address, home, vendorKey: vendor.text };
}

function entitlement(
  sample: (typeof DEV_PRODUCTS)[number],
  vendor: string,
  server: string,
): EntitlementClaims {
  const today = Math.floor(systemClock.now().wallMs / 1000 / DAY_SECONDS) * DAY_SECONDS;
  return {
    jti: `dev-${sample.product}`,
    rev: 1,
    iss: vendor,
    sub: server,
    product: sample.product,
    seats: sample.seats,
    nbf: today,
    exp: today + 366 * DAY_SECONDS,
    share: sample.share,
    borrow: { maxSeconds: 7 * DAY_SECONDS, seats: sample.seats },
    earlyReturn: 'at-once',
    display: { number: `DEV-${sample.product}` },
  };
}

function request(device: string): RequestKey {
  return { device, key: randomText(16), hash: 'dev' };
}

function newKey() {
  const seed = randomBytes(32);
  const privateKey = privateKeyOf(seed);
  const publicKey = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x!, 'base64url');
  return { privateKey, seed, text: formatPublicKey(publicKey) };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${text}\n`, { mode: 0o600 });
}

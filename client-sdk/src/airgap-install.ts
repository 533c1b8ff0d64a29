import {
  BORROW_MAX_SKEW_MS,
  borrowFreeAtMs,
  limits,
  type OfflineFile,
  parseOfflineFile,
  parseToken,
} from '@berth/protocol';
import { OfflineRequests } from './airgap-request.js';
import type { Borrow, InstallBorrowOptions, OpenBorrowRequest } from './api.js';
import { fileNameOf } from './borrow-file.js';
import { BorrowShelf } from './borrow-shelf.js';
import { BerthError } from './errors.js';
import type { Files, Host } from './host.js';
import { IdentityStore } from './identity-store.js';
import { PendingRequests } from './pending.js';
import { type CheckedLease, TokenCheck, tokenInvalid } from './token-check.js';

type GrantFile = OfflineFile<'borrow-grant'>;
type OpenRequest = OpenBorrowRequest;

/**
 * Installs what an admin granted: verified against this machine's key and request, and the vendor's key where it is pinned. On disk before
 * it resolves; nothing is written when the file is not right. Installing it again while the borrow lasts changes nothing.
 * @throws BerthError BORROW_FILE_INVALID, GRANT_FOREIGN, TOKEN_INVALID, SERVER_MISMATCH, CLOCK_SKEW, FOLDER_UNWRITABLE
 */
export async function installBorrowWith(host: Host, options: InstallBorrowOptions): Promise<Borrow> {
  const grant = parseOfflineFile(options.file);
  if (grant?.berth !== 'borrow-grant') throw new BerthError('BORROW_FILE_INVALID');
  const files = host.files(options.home);
  const requests = new OfflineRequests(files);
  const request = await requests.find(grant.nonce);
  const context = request?.context ?? (await contextOf(files, grant));
  const seed = context === null ? null : await new IdentityStore(files).readKey(context, 'lease');
  if (context === null || seed === null) throw new BerthError('GRANT_FOREIGN');
  const key = host.signingKey(seed);
  const check = new TokenCheck(host, key.publicKey, options.vendorKeys ?? 'unpinned');
  const shelf = new BorrowShelf(host, files, context, check, new PendingRequests(host, files, context));
  if (request !== null) {
    const leases = verified(host, check, grant, request);
    await joinServerOf(files, request.context, grant);
    await store(host, shelf, leases, grant);
    await requests.remove(request.context, request.nonce);
  }
  const ids = leaseIds(grant);
  const stored = (await shelf.all()).find(({ borrow }) => borrow.leaseIds.some((id) => ids.includes(id)));
  // Its request was answered before and the borrow has been returned, or has ended: it is not to be used again.
  if (stored === undefined || stored.borrow.state === 'returning') throw new BerthError('GRANT_FOREIGN');
  return stored.borrow;
}

/** The context that has a borrow of this grant already. */
async function contextOf(files: Files, grant: GrantFile): Promise<string | null> {
  const ids = leaseIds(grant);
  for (const { name } of await new IdentityStore(files).list()) {
    for (const id of ids) {
      if ((await files.read(`state/${name}/borrows/${fileNameOf(id)}.json`)) !== null) return name;
    }
  }
  return null;
}

function leaseIds({ leases }: GrantFile): string[] {
  return leases.flatMap((lease) => {
    const parsed = parseToken('lease', lease);
    return parsed.ok ? [parsed.token.claims.jti] : [];
  });
}

/** @throws BerthError TOKEN_INVALID, CLOCK_SKEW */
function verified(host: Host, check: TokenCheck, grant: GrantFile, request: OpenRequest): CheckedLease[] {
  const { product, nonce } = request;
  check.learn(grant);
  const leases = grant.leases.map((token) =>
    check.require(token, { products: [product], kind: 'borrow', nonce }),
  );
  if (leases.some(({ entitlement }) => entitlement.sub !== grant.server.key))
    throw tokenInvalid('SERVER_OTHER');
  if (leases.reduce((sum, { claims }) => sum + claims.n, 0) < request.seats)
    throw tokenInvalid('LEASE_TOO_FEW_SEATS');
  const wallMs = host.clock.wallMs();
  const issuedAtMs = Math.max(...leases.map(({ claims }) => claims.iat * 1000));
  // I3: what was made before now, here or on the server, shows a clock that is behind or was set back.
  const behindMs = Math.max(issuedAtMs - wallMs - BORROW_MAX_SKEW_MS, request.requestedAtMs - wallMs);
  if (behindMs > 0) {
    const message = 'The clock of this computer is behind the moment at which this was granted.';
    throw new BerthError('CLOCK_SKEW', { message, detail: { offMs: -behindMs } });
  }
  if (leases.some(({ claims }) => claims.exp * 1000 <= wallMs)) throw tokenInvalid('EXPIRED');
  return leases;
}

async function store(
  host: Host,
  shelf: BorrowShelf,
  leases: readonly CheckedLease[],
  grant: GrantFile,
): Promise<void> {
  // Nobody signed when the seat is free: it counts only as far as it can be.
  const freeAtMs = Math.max(
    ...leases.map(({ claims }) => borrowFreeAtMs(claims.iat * 1000, claims.exp * 1000)),
  );
  await shelf.store(leases, {
    takenAtMs: Math.round(host.clock.wallMs()),
    earlyReturn: leases.some(({ entitlement }) => entitlement.earlyReturn === 'at-expiry')
      ? 'at-expiry'
      : 'at-once',
    freeAtMs: Math.min(Math.max(grant.freeAtMs, freeAtMs), freeAtMs + limits.offlineRequestMs),
    take: grant.nonce,
    extend: null,
  });
}

/** A machine that never joined knows its server from now on, by the key that the vendor's entitlement names. */
async function joinServerOf(files: Files, name: string, grant: GrantFile): Promise<void> {
  const identities = new IdentityStore(files);
  const { server, organisation, user, device } = grant;
  if (await identities.has(name)) {
    const known = await identities.read(name);
    if (known.serverKey !== server.key) throw new BerthError('SERVER_MISMATCH');
    return;
  }
  await identities.save({
    name,
    servers: [],
    adminServers: null,
    serverId: server.id,
    serverKey: server.key,
    caPem: '',
    email: user.email,
    device: device.id,
    deviceName: device.name,
    scopes: ['lease'],
    organisation: organisation.name,
    joinedWith: null,
  });
  if ((await identities.current()) === null) await identities.use(name);
}

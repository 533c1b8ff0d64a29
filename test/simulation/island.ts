import {
  installBorrowWith,
  listBorrowsWith,
  requestBorrowWith,
  returnOfflineWith,
} from '@berth/client/internal';
import { formatOfflineFile, type OfflineFile, parseOfflineFile } from '@berth/protocol';
import type { Office } from './office.js';

const DAY_MS = 86_400_000;
/** Of a machine that nobody looks after. */
const DEAD_CLOCK_CHANCE = 0.15;

/** Files are carried to a computer that no network reaches, and back (PROTOCOL 4.9): what it has is returned, else it asks for more. */
export async function carryFiles(office: Office, key: string, email: string, product: string): Promise<void> {
  const { site, island } = office;
  const host = site.startProcess(island);
  const borrows = await listBorrowsWith(host, {}).catch(() => []);
  if (borrows.length > 0) await carryReturn(office, key, host);
  else await carryRequest(office, key, { host, email, product });
}

async function carryReturn(
  { admin }: Office,
  key: string,
  host: Parameters<typeof returnOfflineWith>[0],
): Promise<void> {
  const { file } = await returnOfflineWith(host, {});
  const parsed = parseOfflineFile(file);
  if (parsed?.berth !== 'borrow-return') throw new Error('what the SDK wrote is no return');
  await admin.call('borrow.accept', { key, device: parsed.device, stops: parsed.stops });
}

async function carryRequest(
  { admin, dice, site, island }: Office,
  key: string,
  {
    host,
    email,
    product: wanted,
  }: { host: Parameters<typeof requestBorrowWith>[0]; email: string; product: string },
): Promise<void> {
  const { pools } = await admin.call('pool.status', {});
  // What nobody has to give is asked for now and then.
  const free = pools.filter((pool) => pool.free > 0).map((pool) => pool.product);
  const product = free.includes(wanted) || dice.chance(0.1) ? wanted : (dice.pick(free) ?? wanted);
  // The battery of its clock is empty: nobody can tell when it asked.
  const backMs = dice.chance(DEAD_CLOCK_CHANCE) ? dice.between(10, 40) * DAY_MS : 0;
  island.clock.jump(-backMs);
  const asked = requestBorrowWith(host, { product, seconds: dice.between(60, 1_800) });
  const { file, nonce } = await asked.finally(() => island.clock.jump(backMs));
  const parsed = parseOfflineFile(file);
  if (parsed?.berth !== 'borrow-request') throw new Error('what the SDK wrote is no request');
  const granted = await admin.call('borrow.grant', { key, request: parsed.token, email });
  const { server, organisation, user, device, leases, entitlements, freeAtMs, earlyReturn } = granted;
  const { endorsements } = granted;
  const grant: OfflineFile<'borrow-grant'> = {
    ...{ berth: 'borrow-grant', version: 1, nonce, server, organisation, user, device },
    ...{ leases: [...leases], entitlements: [...entitlements], freeAtMs, earlyReturn },
    ...(endorsements === undefined ? {} : { endorsements: [...endorsements] }),
  };
  await installBorrowWith(host, { file: formatOfflineFile(grant), vendorKeys: [site.vendor.key] });
}

import { cp, mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { joinServer, newIdempotencyKey, openAdmin } from '@berth/client';
import { Site } from '../system/site.js';
import type { CrowdOrders } from './crowd.js';
import { tappedHost } from './tapped-host.js';

/** Everybody who will be there, joined once; each generation of rounds begins with a copy of it. */
export interface Template {
  readonly site: Site;
  readonly members: CrowdOrders['members'];
  /** As the homes of the members: within the folder of a generation. */
  readonly ownerHome: string;
}

/** Fewer seats than are asked for: one that comes free too early is taken at once. */
const products = [
  { product: 'render', seats: 12, share: 'process', borrow: { max: '30d', seats: 4 } },
  { product: 'render', seats: 6, share: 'process' },
  { product: 'comp', seats: 12, share: 'device', borrow: { max: '1d', seats: 4 } },
] as const;

export async function makeTemplate(clients: number, under: string): Promise<Template> {
  const site = await Site.open({
    leaseSeconds: LEASE_SECONDS,
    under,
    flags: ['--limits-handshakes-per-second-per-address', '1000'],
  });
  for (const terms of products) await site.grant(terms);
  const host = tappedHost(site.logs, 'admin');
  const admin = await openAdmin({ home: site.owner.home, host });
  const members = Array.from({ length: clients }, (_, index) => ({
    name: `client${index + 1}`,
    home: join('homes', `client${index + 1}`),
    product: index % 2 === 0 ? 'render' : 'comp',
  }));
  for (const { name, home } of members) {
    const key = newIdempotencyKey();
    const { link } = await admin.call('user.invite', { key, email: `${name}@studio.example` });
    await joinServer({ link, home: join(site.folder, home), host: tappedHost(site.logs, name) });
  }
  await admin.close();
  await site.stop();
  return { site, members, ownerHome: relative(site.folder, site.owner.home) };
}

/** D. Short, so that seats of the dead come free within a few rounds; W is 10 s more. */
export const LEASE_SECONDS = 4;

/** A folder of its own for a generation of rounds. */
export async function copyTemplate({ site }: Template, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of ['data', 'homes', 'logs'])
    await cp(join(site.folder, name), join(to, name), { recursive: true });
}

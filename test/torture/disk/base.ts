import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, joinServer, newIdempotencyKey, openAdmin } from '@berth/client';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { createLog } from '@berth/server/ops/log';
import { Server } from '@berth/server/server';
import { Site } from '../../system/site.js';

/** A site with some of everything in it, and the two ways in which its server may have ended. */
export interface Base {
  readonly site: Site;
  /** Copied from a server that was serving, its last records not yet in LevelDB. */
  readonly killed: string;
  readonly stopped: string;
}

export async function makeBase(under: string): Promise<Base> {
  const site = await Site.found({ under });
  await Promise.all([site.keygen(), site.init()]);
  const killed = join(site.folder, 'killed');
  await withServer(site.data, async () => {
    await site.joinWith(site.owner, site.ownerLink);
    await populate(site);
    await cp(site.data, killed, { recursive: true });
  });
  return { site, killed, stopped: site.data };
}

/** The real server in this process, with segments so small that the journal has several. */
async function withServer(data: string, deed: () => Promise<void>): Promise<void> {
  const folder = await openDataFolder(data);
  const config = { ...(await readConfig({}, folder.stored)), journalSegmentMib: SEGMENT_KIB / 1024 };
  const log = createLog({ level: 'error' });
  const onFatal = (error: unknown): void => {
    throw error;
  };
  const server = await Server.start({ folder, config, log, onFatal });
  try {
    await deed();
  } finally {
    await server.stop(1000);
  }
}

const SEGMENT_KIB = 8;

/** Users, invitations, allocations, seats, borrows, a machine token, settings: a row of every table, and records of what is over. */
async function populate(site: Site): Promise<void> {
  await site.grant({ product: 'render', seats: 8, share: 'process', borrow: { max: '30d', seats: 3 } });
  await site.grant({ product: 'comp', seats: 5, share: 'device', borrow: { max: '1d', seats: 2 } });
  const admin = await openAdmin({ home: site.owner.home });
  const key = newIdempotencyKey;
  for (const name of ['anna', 'bo', 'cem', 'dua']) {
    const person = site.person(`${name}@studio.example`);
    const { link } = await admin.call('user.invite', { key: key(), email: person.email });
    if (name !== 'dua') await joinServer({ link, home: person.home });
    await admin.call('allocation.assign', {
      key: key(),
      email: person.email,
      product: 'render',
      quantity: 1,
    });
  }
  await admin.call('machine.token.create', { key: key(), name: 'farm', uses: 10 });
  for (const name of ['anna', 'bo', 'cem']) {
    const { home } = site.person(`${name}@studio.example`);
    const client = await connect({ home, product: 'comp', vendorKeys: [site.vendorKey] });
    await (await client.checkout()).release();
    await client.checkout();
    if (name === 'anna') await client.borrow({ seconds: 7200 });
    if (name === 'bo') await (await client.checkout({ product: 'render', seats: 2 })).release();
    await client.close();
  }
  const { email } = site.person('bo@studio.example');
  await admin.call('allocation.revoke', { key: key(), email, product: 'render', quantity: 'all' });
  await admin.close();
}

import { sign } from 'node:crypto';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AdminConnection, connect, joinServer, newIdempotencyKey, openAdmin } from '@berth/client';
import { type ClaimsOf, signToken } from '@berth/protocol';
import { readConfig } from '@berth/server/commands/serve';
import { openDataFolder } from '@berth/server/data-folder';
import { Invitations } from '@berth/server/engine/invitations';
import { foundServer } from '@berth/server/found';
import { createLog } from '@berth/server/ops/log';
import { Server } from '@berth/server/server';
import { newKeys } from '../../system/device-keys.js';
import { freePort } from '../../system/network.js';
import type { Random } from '../../system/random.js';

/** A site with some of everything in it, and the ways in which its server may have ended. */
export interface Base {
  /** Copied from a server that was serving, its last records not yet in LevelDB. */
  readonly killed: string;
  /** After several lives: LevelDB has tables, and has merged some. */
  readonly stopped: string;
  /** The folder of the owner's device keys. */
  readonly owner: string;
}

const HOST = '127.0.0.1';
const SEGMENT_KIB = 8;
const DAY_SECONDS = 86_400;
const people = ['anna', 'bo', 'cem', 'dua'];

/**
 * Everything in this process, with the real server and the real SDK over TLS.
 * @param folder new, for all that is made
 * @param lives of the server: LevelDB makes a table of its log at each start, and merges four of them into one
 */
export async function makeBase(folder: string, random: Random, lives = random.between(5, 7)): Promise<Base> {
  const founded = await found(folder, await freePort());
  const base = { killed: join(folder, 'killed'), stopped: founded.data, owner: founded.home('owner') };
  await withServer(founded.data, () => moveIn(founded));
  const killedIn = random.between(1, lives - 1);
  for (let life = 1; life <= lives; life++) {
    await withServer(founded.data, async () => {
      await work(founded, random);
      if (life === killedIn) await cp(founded.data, base.killed, { recursive: true });
    });
  }
  return base;
}

interface Founded {
  readonly data: string;
  readonly serverKey: string;
  readonly ownerLink: string;
  readonly vendor: Vendor;
  home(name: string): string;
}

interface Vendor {
  readonly key: string;
  entitle(claims: Partial<ClaimsOf<'entitlement'>> & { readonly jti: string; readonly sub: string }): string;
}

async function found(folder: string, port: number): Promise<Founded> {
  await mkdir(folder, { recursive: true });
  const data = join(folder, 'stopped');
  const settings = { listen: `${HOST}:${port}`, advertise: [HOST, 'localhost'] };
  const config = await readConfig({}, settings);
  const organisation = { name: 'Studio', owner: 'it@studio.example' };
  const { identity, invitation } = await foundServer(data, organisation, config, settings);
  const ownerLink = new Invitations(identity.seed).link(invitation, { host: HOST, port }, identity.publicKey);
  const home = (name: string): string => join(folder, 'homes', name);
  return { data, serverKey: identity.keyText, ownerLink, vendor: newVendor(), home };
}

function newVendor(): Vendor {
  const { text: key, secret } = newKeys();
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    key,
    entitle: (claims) =>
      signToken(
        'entitlement',
        {
          ...{ rev: 1, iss: key, product: 'render', seats: 8, share: 'process', earlyReturn: 'at-once' },
          ...{ nbf: nowSeconds - DAY_SECONDS, exp: nowSeconds + 365 * DAY_SECONDS, display: {} },
          ...claims,
        },
        (message) => new Uint8Array(sign(null, message, secret)),
      ),
  };
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

async function withAdmin({ home }: Founded, deed: (admin: AdminConnection) => Promise<void>): Promise<void> {
  const admin = await openAdmin({ home: home('owner') });
  try {
    await deed(admin);
  } finally {
    await admin.close();
  }
}

/** Users, invitations, allocations, entitlements and a machine token. */
async function moveIn(founded: Founded): Promise<void> {
  const { vendor, serverKey: sub } = founded;
  await joinServer({ link: founded.ownerLink, home: founded.home('owner') });
  await withAdmin(founded, async (admin) => {
    const borrow = { maxSeconds: 30 * DAY_SECONDS, seats: 3 };
    const key = newIdempotencyKey;
    for (const entitlement of [
      vendor.entitle({ jti: 'ent-render', sub, borrow }),
      vendor.entitle({ jti: 'ent-comp', sub, product: 'comp', seats: 5, share: 'device', borrow }),
    ])
      await admin.call('entitlement.import', { key: key(), entitlement });
    for (const name of people) {
      const email = `${name}@studio.example`;
      const { link } = await admin.call('user.invite', { key: key(), email });
      if (name !== 'dua') await joinServer({ link, home: founded.home(name) });
      await admin.call('allocation.assign', { key: key(), email, product: 'render', quantity: 1 });
    }
    await admin.call('machine.token.create', { key: key(), name: 'farm', uses: 10 });
    await admin.call('allocation.revoke', {
      ...{ key: key(), email: 'bo@studio.example', product: 'render', quantity: 'all' },
    });
  });
}

/** Seats that stay, seats that were given back, borrows: records of what is, and of what is over. */
async function work({ home, vendor }: Founded, random: Random): Promise<void> {
  for (const name of people.slice(0, 3)) {
    const client = await connect({ home: home(name), product: 'comp', vendorKeys: [vendor.key] });
    for (let times = random.between(1, 3); times > 0; times--) await (await client.checkout()).release();
    await client.checkout();
    if (name === 'anna') await client.borrow({ seconds: DAY_SECONDS });
    if (random.chance(0.5)) await (await client.checkout({ product: 'render', seats: 2 })).release();
    await client.close();
  }
}

import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { newNonce, RawClient } from './raw-client.js';
import { Site } from './site.js';
import { until } from './waiting.js';

// A process may open so many files and no more (`ulimit -n`, LimitNOFILE). Sockets are files too: strangers must not be able to take the
// one that the journal needs next, since a server that cannot write its journal has to stop.

const FILES = 256;
let site: Site;
const strangers: Socket[] = [];

afterAll(async () => {
  for (const socket of strangers) socket.destroy();
  await site?.close();
});

test('strangers who open more sockets than there are files stop nobody who has a session, and leave room', async () => {
  site = await Site.found({ leaseSeconds: 30 });
  await Promise.all([site.keygen(), site.init()]);
  // With segments of 1 MiB and so few files, the journal and LevelDB share what is left.
  const server = await site.serve([], 0, ['sh', '-c', `ulimit -n ${FILES} && exec "$@"`, 'sh']);
  await site.joinWith(site.owner, site.ownerLink);
  await site.grant({ seats: 2, share: 'process' });
  const worker = await RawClient.enrolled(site.address, await site.invite('worker@studio.example'));
  const asks = () => ({ key: newNonce(), nonce: newNonce(), wants: [{ products: ['render'], seats: 1 }] });
  const granted = await worker.ask('lease.checkout', asks());
  expect(granted.error).toBeUndefined();
  expect(server.stdout).toContain('FEW_FILES');

  for (let at = 0; at < 400; at++) {
    const options = { host: '127.0.0.1', port: site.port, localAddress: `127.7.${at % 40}.1` };
    strangers.push(connect(options).on('error', () => undefined));
  }
  await until('sockets to be refused', () => server.stdout.includes('UNAUTHENTICATED_SOCKETS'));
  expect(readdirSync(`/proc/${server.pid}/fd`).length).toBeLessThan(FILES - 32);

  // The journal is written, and who has a session is answered.
  expect((await worker.ask('lease.renew', { nonce: newNonce() })).result).toMatchObject({ leases: [{}] });
  const more = await worker.ask('lease.checkout', asks());
  expect(more.result).toMatchObject({ leases: [expect.any(String)] });
  expect((await worker.ask('pool.status', {})).result).toMatchObject({ pools: [{ inUse: 2, free: 0 }] });
  // A newcomer of an address that has none of the places gets one.
  const newcomer = await RawClient.connect(site.address);
  newcomer.close();
  worker.close();
});

import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns';
import { connect } from '@berth/client';
import { decode, encode, type SrvAnswer } from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from './network.js';
import { type Person, Site } from './site.js';

// A real resolver asks a real name server, which knows the servers of studio.test.

let site: Site;
let anna: Person;
let names: Socket;
const usual = dns.getServers();
const zone = new Map<string, SrvAnswer['data'][]>();

beforeAll(async () => {
  site = await Site.open({ leaseSeconds: 30 });
  await site.grant({ seats: 2, share: 'process' });
  [anna] = (await site.hire('anna@studio.example')) as [Person];
  names = createSocket('udp4', (question, from) => names.send(answer(question), from.port, from.address));
  await new Promise<void>((resolve) => names.bind(0, '127.0.0.1', resolve));
  dns.setServers([`127.0.0.1:${names.address().port}`]);
}, 120_000);

afterAll(async () => {
  dns.setServers(usual);
  names?.close();
  await site?.close();
});

function answer(message: Buffer): Buffer {
  const { id, questions = [] } = decode(message);
  const name = questions[0]?.name ?? '';
  const records = zone.get(name.toLowerCase());
  const answers = (records ?? []).map((data): SrvAnswer => ({ type: 'SRV', name, ttl: 1, data }));
  // 3: there is no such name.
  return encode({ type: 'response', id: id ?? 0, flags: records === undefined ? 3 : 0, questions, answers });
}

async function seatThrough(service: string): Promise<string> {
  const client = await connect({
    home: anna.home,
    product: 'render',
    vendorKeys: [site.vendorKey],
    servers: [service],
  });
  try {
    await using seat = await client.checkout();
    expect(seat.state).toBe('held');
    return client.me?.address ?? '';
  } finally {
    await client.close();
  }
}

test('srv:studio.test: the servers under _berth._tcp in the order of their priority, the dead one passed over', async () => {
  const dead = await freePort();
  zone.set('_berth._tcp.studio.test', [
    { target: 'localhost', port: site.port, priority: 20, weight: 0 },
    { target: '127.0.0.1', port: dead, priority: 10, weight: 5 },
  ]);
  expect(await seatThrough('srv:studio.test')).toBe(`localhost:${site.port}`);
});

test('no such name, and a domain that says it has no server: UNREACHABLE, in a sentence', async () => {
  zone.set('_berth._tcp.none.test', [{ target: '.', port: 0, priority: 0, weight: 0 }]);
  for (const domain of ['none.test', 'unheard-of.test']) {
    const refusal = seatThrough(`srv:${domain}`);
    await expect(refusal).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await expect(refusal).rejects.toThrow(`_berth._tcp.${domain}`);
  }
});

test('what is no address and no domain: USAGE', async () => {
  await expect(seatThrough('srv:not a domain')).rejects.toMatchObject({ code: 'USAGE' });
});

import type { TLSSocket } from 'node:tls';
import { HttpsClient, newNonce } from '../../system/https-client.js';
import { type Attack, addressOf, type Field, repeat, Tally } from '../attack.js';
import { swarm, tls } from '../swarm.js';

const client = (field: Field, at: number): HttpsClient => {
  const { text: deviceKey, secret } = field.devices[at]!;
  return new HttpsClient(field.port, { deviceKey, secret, serverKey: field.serverKey }, addressOf(at));
};

export const httpReplay: Attack = {
  name: 'http-replay',
  what: 'signed requests sent again, changed on their way, or naming the leases of others',
  run: async (field) => {
    const tally = new Tally(field);
    const mine = client(field, 0);
    await mine.renewChallenge();
    let at = 0;
    const expect = async (
      name: string,
      wire: ReturnType<HttpsClient['wire']>,
      status: number,
      code?: string,
    ) => {
      const answer = await mine.send(wire).catch(() => null);
      // Cut, or more than this address may: no verdict either way.
      if (answer === null || answer.status === 429) return tally.add('refused');
      tally.add(`${name}: ${answer.body?.code ?? answer.status}`);
      if (answer.status !== status || (code !== undefined && answer.body?.code !== code))
        tally.problem(`${name}: ${answer.status} ${answer.text.slice(0, 200)}`);
      return answer;
    };
    await repeat(field.over, 150, async () => {
      const { lease } = field.foreign[at++ % field.foreign.length]!;
      const wire = mine.wire('/v1/renew', { leases: [lease], nonce: newNonce() });
      const renewed = await expect('first', wire, 200);
      const row = renewed?.body.leases[0];
      if (row !== undefined && row.code !== 'LEASE_UNKNOWN') tally.stole(`renewed ${JSON.stringify(row)}`);
      if (renewed?.status === 200 && row === undefined) tally.problem('a renewal over HTTP has no row');
      await expect('again', wire, 401, 'REQUEST_REPLAYED');
      const release = mine.wire('/v1/release', { key: newNonce(), leases: [lease] });
      await expect(
        'changed',
        { ...release, body: release.body.replace(lease, 'l-other') },
        401,
        'SIGNATURE_INVALID',
      );
      const { deviceKey } = release.fields;
      const foreign = field.devices[1]!.text;
      const headers = { ...release.headers, 'Berth-Device': foreign };
      await expect('of another device', { ...release, headers }, 401, 'SIGNATURE_INVALID');
      if (deviceKey === foreign) tally.problem('the devices are one');
      const released = await expect('release of another’s', release, 404, 'LEASE_UNKNOWN');
      if (released?.status === 200) tally.stole(`${lease} was released over HTTP`);
    });
    tally.expect('again: REQUEST_REPLAYED', 3);
    return tally.outcome;
  },
};

export const httpSlow: Attack = {
  name: 'http-slow',
  what: '2,000 requests of 250 addresses whose headers or bodies come byte by byte, and answers nobody reads',
  run: async (field) => {
    const tally = new Tally(field);
    const heads = [
      'GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ',
      `POST /v1/renew HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000\r\nBerth-Device: ${field.devices[0]!.text}\r\nBerth-Challenge: ${newNonce()}\r\nBerth-Nonce: ${newNonce()}\r\nBerth-Signature: ${'A'.repeat(86)}\r\n\r\n`,
    ];
    let at = 0;
    await swarm(field, tally, {
      ...{ sockets: 2_000, addresses: 250 },
      start: (_, from) => {
        const socket = tls(field, from);
        const head = heads[at++ % heads.length]!;
        socket.once('secureConnect', () => {
          tally.add('requests begun');
          socket.write(head);
          const drip = setInterval(() => socket.write(' '), 200);
          socket.once('close', () => clearInterval(drip));
        });
        return socket;
      },
    });
    tally.expect('requests begun', 100);
    return tally.outcome;
  },
};

export const httpHeaders: Attack = {
  name: 'http-headers',
  what: 'requests with headers of 8 KiB and more, with thousands of them, with long addresses and foreign methods',
  run: async (field) => {
    const tally = new Tally(field);
    const requests = {
      'large header': `GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
      'many headers': `GET /livez HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(5_000)}\r\n`,
      'long address': `GET /livez?${'x'.repeat(4_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      'foreign method': 'PUT /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
      'large body': `POST /v1/renew HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nBerth-Device: ${field.devices[0]!.text}\r\nBerth-Challenge: ${newNonce()}\r\nBerth-Nonce: ${newNonce()}\r\nBerth-Signature: ${'A'.repeat(86)}\r\n\r\n{`,
      'no HTTP': '\u0000\u0001\u0002 nonsense\r\n\r\n',
    };
    const allowed = new Set(['400', '405', '413', '414', '429', '431']);
    await Promise.all(
      Object.entries(requests).flatMap(([name, text], kind) =>
        Array.from({ length: 4 }, (_, nth) =>
          repeat(field.over, 10, async () => {
            const status = await answerTo(tls(field, addressOf(kind * 4 + nth)), text);
            tally.add(`${name}: ${status}`);
            if (status !== 'cut' && !allowed.has(status)) tally.problem(`${name}: ${status}`);
          }),
        ),
      ),
    );
    return tally.outcome;
  },
};

function answerTo(socket: TLSSocket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    socket.on('data', (part) => {
      heard += part;
    });
    socket.on('error', () => undefined);
    socket.once('secureConnect', () => socket.write(text));
    socket.once('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(heard)?.[1] ?? 'cut'));
  });
}

export const httpFlood: Attack = {
  name: 'http-flood',
  what: '/metrics, /ca and /v1/challenge asked for by 100 addresses as fast as they are allowed to, half of them without waiting for answers',
  run: async (field) => {
    const tally = new Tally(field);
    const pages = ['/metrics', `/ca?nonce=${newNonce()}`, '/v1/challenge'];
    const ask = (from: string, page: string, waits: boolean) =>
      new Promise<void>((resolve) => {
        const socket = tls(field, from);
        const get = () => socket.write(`GET ${page} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const asking = waits ? undefined : setInterval(get, 25);
        if (waits) socket.once('secureConnect', get);
        socket.on('data', (part) => {
          const statuses = String(part).match(/HTTP\/1\.1 (\d+)/g) ?? [];
          for (const status of statuses) {
            tally.add(status);
            // An answer in several parts is asked for again before it is whole: that is as fast as it can.
            if (waits) get();
          }
        });
        socket.on('error', () => undefined);
        field.over.addEventListener('abort', () => socket.destroy(), { once: true });
        socket.once('close', () => {
          clearInterval(asking);
          resolve();
        });
      });
    await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        repeat(field.over, 20, () => ask(addressOf(at), pages[at % pages.length]!, at % 2 === 0)),
      ),
    );
    tally.expect('HTTP/1.1 200', 100);
    return tally.outcome;
  },
};

export const httpPipeline: Attack = {
  name: 'http-pipeline',
  what: 'hundreds of requests in one write, by 100 addresses, again and again',
  run: async (field) => {
    const tally = new Tally(field);
    const burst = 'GET /livez HTTP/1.1\r\nHost:\r\n\r\n'.repeat(2_000);
    await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        repeat(field.over, 100, async () => {
          tally.add(`answer: ${await answerTo(tls(field, addressOf(at)), burst)}`);
        }),
      ),
    );
    tally.expect('answer: cut', 50);
    return tally.outcome;
  },
};

import { randomInt } from 'node:crypto';
import { get } from 'node:https';
import { createServer } from 'node:net';

/** Below those that systems give to connections that go out: one of them may have a port that was free a moment ago (PORT_TAKEN). */
const PORTS = [10_000, 32_767] as const;

/** A port nobody listens on, and that no connection of another test takes before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** GET without looking at the certificate; status 0 when there was no answer. */
export function httpGet(port: number, path: string): Promise<{ status: number; body: string }> {
  const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false };
  return new Promise((resolve) => {
    const request = get(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', (error) => resolve({ status: 0, body: error.message }));
  });
}

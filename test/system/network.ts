import { get } from 'node:https';
import { createServer } from 'node:net';

/** A port nobody listens on: bound to 0 first, then given back. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
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

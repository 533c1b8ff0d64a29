import { lookup, resolveSrv } from 'node:dns/promises';
import { get as httpsGet } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Network, Server } from './context.js';

/** What a health page says is short. */
const mostBodyBytes = 64 * 1024;

/** The network of a real process. */
export const network: Network = {
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  services: async (name) => {
    const records = await resolveSrv(name);
    const sorted = [...records].sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    return sorted.map((record) => ({ host: record.name, port: record.port }));
  },
  reach: ({ host, port }, signal) =>
    new Promise((resolve, reject) => {
      const socket = connectTcp({ host, port, signal });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    }),
  certificate: (server, caPem, signal) =>
    new Promise((resolve, reject) => {
      // Looked at whatever it is: nothing is sent over this connection.
      const socket = connectTls({
        ...tlsOptions(server, caPem),
        signal,
        rejectUnauthorized: false,
      } as object);
      socket.once('secureConnect', () => {
        const { valid_to: validTo } = socket.getPeerCertificate();
        resolve({ fault: faultOf(socket), notAfterMs: Date.parse(validTo) });
        socket.destroy();
      });
      socket.once('error', reject);
    }),
  get: (server, caPem, path, signal) =>
    new Promise((resolve, reject) => {
      const options = { ...tlsOptions(server, caPem), path, signal, agent: false };
      const request = httpsGet(options, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > mostBodyBytes) request.destroy(new Error('the answer is too long'));
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      request.once('error', reject);
    }),
};

const tlsOptions = ({ host, port }: Server, caPem: string) => ({
  host,
  port,
  ca: caPem,
  minVersion: 'TLSv1.3' as const,
  ...(isIP(host) === 0 ? { servername: host } : {}),
});

function faultOf(socket: TLSSocket): string | null {
  if (socket.authorized) return null;
  const error: unknown = socket.authorizationError;
  return error instanceof Error ? error.message : String(error);
}

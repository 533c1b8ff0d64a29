import { networkInterfaces } from 'node:os';
import type { Config } from './ops/config.js';

/** Where join links point: what IT advertises, else the address listened on, else the first address others can reach. */
export function linkAddress({ listen, advertise }: Pick<Config, 'listen' | 'advertise'>): {
  host: string;
  port: number;
} {
  return { host: advertise[0] ?? reachable(listen.host), port: listen.port };
}

function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const found = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

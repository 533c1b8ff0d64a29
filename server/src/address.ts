import { networkInterfaces } from 'node:os';
import { formatAddress } from '@berth/protocol';
import type { Config } from './ops/config.js';

/** Where join links point: what IT advertises, else the address listened on, else the first address others can reach. */
export function linkAddress({ listen, advertise }: Pick<Config, 'listen' | 'advertise'>): {
  host: string;
  port: number;
} {
  return { host: advertise[0] ?? reachable(listen.host), port: listen.port };
}

/** Where administration has an address of its own; `null` when it has not. The port is the one that was had. */
export function adminAddress(
  { adminListen, advertise }: Pick<Config, 'adminListen' | 'advertise'>,
  port: number | undefined,
): string | null {
  if (adminListen === undefined) return null;
  const isAny = adminListen.host === '0.0.0.0' || adminListen.host === '::';
  const host = isAny ? (advertise[0] ?? reachable(adminListen.host)) : adminListen.host;
  return formatAddress({ host, port: port ?? adminListen.port });
}

function reachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const found = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return found?.address ?? '127.0.0.1';
}

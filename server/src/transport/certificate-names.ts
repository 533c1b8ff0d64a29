/** The names a server certificate is made for: every way a client may write this server in its address. */
import { hostname, networkInterfaces } from 'node:os';
import { parseHost } from '../ops/config-values.js';

/** What the machine says of itself; injected in tests. */
export interface HostFacts {
  readonly hostname: string;
  /** IP addresses of all interfaces, IPv6 possibly with a zone. */
  readonly addresses: readonly string[];
}

/**
 * A container host may have hundreds of bridge addresses. What an admin asked for comes first, and 128 names keep the
 * certificate near 4 KiB: it is sent in every handshake.
 */
const MAX_NAMES = 128;

/**
 * Host names (ASCII, lower-case) and IP addresses (normal form), without repetition: what is advertised, the address
 * listened on, the host name, all interface addresses, and loopback. The first is the one to show to people.
 */
export function certificateNames(options: {
  /** Of the listeners. */
  readonly listenHosts: readonly string[];
  readonly advertise: readonly string[];
  readonly host?: HostFacts;
}): readonly string[] {
  const host = options.host ?? thisHost();
  const asked = [...options.advertise, ...options.listenHosts.filter((name) => !isAnyAddress(name))];
  const always = ['localhost', '127.0.0.1', '::1'];
  // Sorted: the order of interfaces is not stable, and a new order is no reason for a new certificate.
  const found = [host.hostname, ...[...host.addresses].sort().filter(isReachable)];
  const names = [...asked, ...always, ...found].map(parseHost).filter((name) => name !== undefined);
  return [...new Set(names)].slice(0, MAX_NAMES);
}

function thisHost(): HostFacts {
  const interfaces = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return { hostname: hostname(), addresses: interfaces.map((entry) => entry.address) };
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || parseHost(host) === '::';
}

/** Link-local IPv6 needs a zone, which is different on every client and cannot be in a certificate. */
function isReachable(address: string): boolean {
  return !/^fe[89ab]/i.test(address);
}

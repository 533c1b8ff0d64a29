import { formatAddress, type PathName, parseAddress } from '@berth/protocol';
import type { Context } from './context.js';
import { BerthError } from './errors.js';
import type { Host } from './host.js';
import { isService, resolveServices } from './services.js';

/**
 * The servers to try, in order and none twice: the option, else BERTH_SERVERS (comma separated), else those of the context. An entry
 * `srv:studio.example` is looked up in DNS.
 * @throws BerthError USAGE when one is neither `host:port` nor `srv:domain`; UNREACHABLE when DNS has no server
 */
export async function serversOf(
  host: Host,
  option: readonly string[] | undefined,
  context: Context,
  path: PathName,
): Promise<string[]> {
  const named = option !== undefined && option.length > 0 ? option : fromEnvironment(host);
  const admin = path === 'admin' ? (context.adminServers ?? []) : [];
  // What somebody named comes first. Else where administration was last, then where it is without an address of its own.
  const all = named.length > 0 ? [...named, ...admin] : [...admin, ...context.servers];
  return resolveServices(host, [...new Set(all.map(canonical))]);
}

function fromEnvironment(host: Host): string[] {
  return (host.env('BERTH_SERVERS') ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function canonical(text: string): string {
  if (isService(text)) return text;
  const address = parseAddress(text);
  if (address !== null) return formatAddress(address);
  throw new BerthError('USAGE', {
    message: `"${text}" is not the address of a server.`,
    hint: 'Write host, host:port or srv:domain, in the option `servers`, in BERTH_SERVERS or in the context.',
  });
}

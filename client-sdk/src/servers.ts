import { formatAddress, parseAddress } from '@berth/protocol';
import type { Context } from './context.js';
import { BerthError } from './errors.js';
import type { Host } from './host.js';

/**
 * The servers to try, in order: the option, else BERTH_SERVERS (comma separated), else those of the context.
 * @throws BerthError USAGE when one is not `host:port`
 */
export function serversOf(host: Host, option: readonly string[] | undefined, context: Context): string[] {
  const named = option !== undefined && option.length > 0 ? option : fromEnvironment(host);
  return (named.length > 0 ? named : context.servers).map(canonical);
}

function fromEnvironment(host: Host): string[] {
  return (host.env('BERTH_SERVERS') ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function canonical(text: string): string {
  const address = parseAddress(text);
  if (address !== null) return formatAddress(address);
  throw new BerthError('USAGE', {
    message: `"${text}" is not the address of a server.`,
    hint: 'Write host or host:port, in the option `servers`, in BERTH_SERVERS or in the context.',
  });
}

import { formatAddress } from '@berth/protocol';
import { BerthError, describe } from './errors.js';
import type { Host, ServiceRecord } from './host.js';
import { randomBetween } from './random.js';

const PREFIX = 'srv:';

/** `srv:studio.example` stands for the servers that DNS names under `_berth._tcp.studio.example` (RFC 2782). */
export function isService(text: string): boolean {
  return /^srv:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*\.?$/.test(text);
}

/**
 * Replaces every `srv:` entry by the addresses that DNS has for it, in the order of RFC 2782. Others stay as they are; none stands twice.
 * @throws BerthError UNREACHABLE when no entry is left, USAGE where the host has no DNS
 */
export async function resolveServices(host: Host, entries: readonly string[]): Promise<string[]> {
  const addresses: string[] = [];
  let failure: BerthError | null = null;
  for (const entry of entries) {
    if (!isService(entry)) addresses.push(entry);
    else {
      try {
        addresses.push(...(await lookUp(host, entry.slice(PREFIX.length))));
      } catch (thrown) {
        if (!(thrown instanceof BerthError) || thrown.code !== 'UNREACHABLE') throw thrown;
        failure ??= thrown;
      }
    }
  }
  if (addresses.length === 0 && failure !== null) throw failure;
  return [...new Set(addresses)];
}

async function lookUp(host: Host, domain: string): Promise<string[]> {
  const name = `_berth._tcp.${domain}`;
  if (host.resolveService === undefined) {
    throw new BerthError('USAGE', {
      message: `"${PREFIX}${domain}" needs DNS, which this host has not.`,
      hint: 'Write host:port.',
    });
  }
  let records: readonly ServiceRecord[];
  try {
    records = await host.resolveService(name);
  } catch (error) {
    throw unreachable(`DNS has no servers under ${name}: ${describe(error)}.`);
  }
  // RFC 2782: a target of "." says that there is decidedly no such service.
  const offered = records.filter(({ target }) => target !== '' && target !== '.');
  if (offered.length === 0) throw unreachable(`DNS says that there is no server under ${name}.`);
  return inOrder(host, offered).map(({ target, port }) =>
    formatAddress({ host: target.replace(/\.$/, ''), port }),
  );
}

/** By priority; among equals at random, the heavier the likelier first. */
function inOrder(host: Host, records: readonly ServiceRecord[]): ServiceRecord[] {
  const drawn = records.map((record) => {
    const luck = randomBetween(host, 0, 1);
    // The highest `luck^(1/weight)` first is a weighted order without replacement; weight 0 comes last.
    return { record, rank: record.weight === 0 ? -1 : luck ** (1 / record.weight) };
  });
  return drawn
    .sort((a, b) => a.record.priority - b.record.priority || b.rank - a.rank)
    .map(({ record }) => record);
}

function unreachable(message: string): BerthError {
  return new BerthError('UNREACHABLE', {
    message,
    hint: 'Ask your IT for the address of the licence server, or write host:port.',
  });
}

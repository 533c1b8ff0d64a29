import { isIP } from 'node:net';
import type { Context as Joined } from '@berth/client';
import { type HealthWarning, parseAddress } from '@berth/protocol';
import type { Certificate, Context, Server } from '../context.js';
import { toFailure } from '../fail.js';
import { type Check, fail, inTime, ok, warn, whyOf } from './check.js';

// What can be seen of the servers from here, each by itself: the name, the port, the certificate, what it says of its health.

const dayMs = 86_400_000;
const fewDays = 14;

/** The servers that this context leads to, with what DNS had to say where it was asked. */
export async function lookAtAddresses(
  context: Context,
  joined: Joined,
): Promise<{ servers: Server[]; checks: Check[] }> {
  const named = (context.env.BERTH_SERVERS ?? '').split(',').map((entry) => entry.trim());
  const entries = named.some((entry) => entry !== '')
    ? named.filter((entry) => entry !== '')
    : joined.servers;
  const servers: Server[] = [];
  const checks: Check[] = [];
  for (const entry of new Set(entries)) {
    if (entry.startsWith('srv:')) {
      const found = await lookAtService(context, entry);
      servers.push(...found.servers);
      checks.push(found.check);
      continue;
    }
    const server = parseAddress(entry);
    if (server !== null) servers.push(server);
    else {
      const fix = 'Write host, host:port or srv:domain in BERTH_SERVERS.';
      checks.push(fail(`address:${entry}`, 'USAGE', `"${entry}" is not the address of a server.`, fix));
    }
  }
  return { servers, checks };
}

async function lookAtService(context: Context, entry: string): Promise<{ servers: Server[]; check: Check }> {
  const service = `_berth._tcp.${entry.slice('srv:'.length)}`;
  const name = `srv:${service}`;
  const fix = `Ask your IT for an SRV record ${service}, or set BERTH_SERVERS=host:port.`;
  try {
    const servers = await inTime(context, () => context.network.services(service));
    const said = servers.map(({ host, port }) => `${host}:${port}`).join(', ');
    if (servers.length > 0) return { servers, check: ok(name, `leads to ${said}`) };
    return { servers, check: fail(name, 'UNREACHABLE', 'DNS has no server there.', fix) };
  } catch (thrown) {
    return { servers: [], check: fail(name, 'UNREACHABLE', `DNS: ${whyOf(thrown)}.`, fix) };
  }
}

/** Stops at the first step that fails: what stands on it says nothing new. */
export async function lookAtServer(context: Context, server: Server, caPem: string): Promise<Check[]> {
  const where = isIP(server.host) === 6 ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`;
  const checks: Check[] = [];
  for (const step of [lookAtName, lookAtPort, lookAtCertificate, lookAtHealth]) {
    const found = await step(context, server, where, caPem);
    checks.push(...found);
    if (found.some(({ state }) => state === 'fail')) break;
  }
  return checks;
}

type Step = (context: Context, server: Server, where: string, caPem: string) => Promise<Check[]>;

const lookAtName: Step = async (context, { host }, where) => {
  if (isIP(host) !== 0) return [ok(`dns:${where}`, 'an address, no name to look up')];
  try {
    const addresses = await inTime(context, () => context.network.resolve(host));
    return [ok(`dns:${where}`, `${host} is ${addresses.join(', ')}`)];
  } catch (thrown) {
    const fix = `Check the name ${host} and the name servers of this computer; BERTH_SERVERS can name another address.`;
    return [fail(`dns:${where}`, 'UNREACHABLE', `${host} has no address: ${whyOf(thrown)}.`, fix)];
  }
};

const lookAtPort: Step = async (context, server, where) => {
  try {
    await inTime(context, (signal) => context.network.reach(server, signal));
    return [ok(`port:${where}`, 'open')];
  } catch (thrown) {
    const fix = `On the server: does berthd run (systemctl status berthd), and does its firewall let port ${server.port} in?`;
    return [fail(`port:${where}`, 'UNREACHABLE', `It cannot be connected to: ${whyOf(thrown)}.`, fix)];
  }
};

const lookAtCertificate: Step = async (context, server, where, caPem) => {
  let certificate: Certificate;
  try {
    certificate = await inTime(context, (signal) => context.network.certificate(server, caPem, signal));
  } catch (thrown) {
    if (toFailure(thrown).code === 'TIMEOUT') return [silent(`tls:${where}`, whyOf(thrown))];
    const fix = 'Is that the port of berthd, and nothing between that ends TLS itself?';
    return [fail(`tls:${where}`, 'UNREACHABLE', `It does not speak TLS 1.3: ${whyOf(thrown)}.`, fix)];
  }
  const { fault, notAfterMs } = certificate;
  const trust =
    fault === null
      ? ok(`tls:${where}`, 'TLS 1.3, and it leads to the authority that the key of the server signed')
      : fail(
          `tls:${where}`,
          'CERTIFICATE_UNTRUSTED',
          `Its certificate is not trusted: ${fault}.`,
          'Check the clock of this computer. If the server was replaced, join with a new link; if it has a new name, IT runs berthd with --advertise NAME.',
        );
  return [trust, daysLeft(context, where, notAfterMs)];
};

/** The system of the server takes the connection; the process behind it does nothing with it. */
function silent(name: string, why: string): Check {
  const fix =
    'On the server: top and journalctl -u berthd say what it does. If it is stuck: systemctl restart berthd, and report it.';
  return fail(name, 'UNREACHABLE', `It takes connections and does not answer them: ${why}.`, fix);
}

function daysLeft(context: Context, where: string, notAfterMs: number): Check {
  const days = Math.floor((notAfterMs - context.nowMs()) / dayMs);
  const last = new Date(notAfterMs).toISOString().slice(0, 10);
  const name = `certificate:${where}`;
  const fix =
    'On the server: berthd renews its own certificate by itself; one that IT brought has to be replaced (docs/site-it.md).';
  if (days < 0) return fail(name, 'CERTIFICATE_UNTRUSTED', `It ended on ${last}.`, fix);
  const detail = `${days} days left, until ${last}`;
  return days < fewDays ? warn(name, detail, fix) : ok(name, detail);
}

const lookAtHealth: Step = async (context, server, where, caPem) => {
  const name = `ready:${where}`;
  try {
    const answer = await inTime(context, (signal) => context.network.get(server, caPem, '/readyz', signal));
    const { reason, warnings } = healthIn(answer.body);
    if (answer.status !== 200) {
      const fix = 'Its log says more: journalctl -u berthd. While it drains or starts, wait.';
      return [fail(name, 'DRAINING', `It does not serve: ${reason}.`, fix)];
    }
    if (warnings.length === 0) return [ok(name, 'it serves, without warnings')];
    return warnings.map((code) =>
      warn(
        `${name}:${code}`,
        `The server says ${code}.`,
        fixes[code as HealthWarning] ?? 'Its log says more.',
      ),
    );
  } catch (thrown) {
    if (toFailure(thrown).code === 'TIMEOUT') return [silent(name, whyOf(thrown))];
    const fix = 'Is that the port of berthd?';
    return [fail(name, 'UNREACHABLE', `/readyz does not answer: ${whyOf(thrown)}.`, fix)];
  }
};

/** What to do about what a server is not well of. */
const fixes: Readonly<Record<HealthWarning, string>> = {
  DISK_LOW: 'Make room on the disk of the server; until then nothing new is granted.',
  CLOCK_BEHIND: 'Set the clock of the server right (NTP), or, if it is right: berth clock accept',
  CLOCK_AHEAD: 'Set the clock of the server right (NTP), or, if it is right: berth clock accept',
  JOURNAL_DAMAGED:
    'An old file of the journal is damaged; its log names it. Keep the state folder, and put the file back from a backup (docs/site-it.md).',
  BASE_RENEWED:
    'A file of the journal was damaged and was made anew; the log names it. Look at the disk, and make a backup: berth backup create',
  RESTORED: 'Seats that may be in use since before are kept back: berth restore show says until when.',
  ROLLED_BACK:
    'Older data was put back than a client has seen; nothing new is granted until an admin has answered: berth restore show',
  BACKUP_FAILED:
    'The last backup by the timer failed; its log says why. Check backup.folder and backup.passphrase-file.',
  CERTIFICATE_EXPIRING: 'Replace the certificate of the server (docs/site-it.md).',
};

function healthIn(body: string): { reason: string; warnings: string[] } {
  try {
    const { reason, warnings }: { reason?: unknown; warnings?: unknown } = JSON.parse(body);
    const list = Array.isArray(warnings) ? warnings : [];
    return { reason: String(reason ?? 'no reason given'), warnings: list.map(String) };
  } catch {
    return { reason: 'its answer is no health page', warnings: [] };
  }
}

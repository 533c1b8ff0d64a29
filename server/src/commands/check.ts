import { verifyEntitlement } from '@berth/protocol';
import type { CommandModule } from 'yargs';
import { type DataFolder, openDataFolder } from '../data-folder.js';
import { CLOCK_BEHIND_MS } from '../domain/clock.js';
import { brokenInvariants } from '../domain/invariants.js';
import { type Now, organisationOf, type State } from '../domain/state.js';
import { nativeVerify } from '../ed25519.js';
import { NotOneHistory, recover } from '../engine/recover.js';
import { systemClock } from '../ops/clock.js';
import { StartError } from '../start-error.js';
import { nodeFiles } from '../store/files.js';
import { type Journal, JournalCorrupt } from '../store/journal.js';
import { FolderLocked, LevelStore } from '../store/level-store.js';
import { FormatNewer } from '../store/records.js';
import { inspectTls } from '../transport/certificate-files.js';
import { printReport } from './print.js';
import { readConfig } from './serve.js';

interface CheckArgs {
  readonly data: string;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
  readonly [flag: string]: unknown;
}

type Verdict = 'ok' | 'warning' | 'failed';

/** One line of the report: what was looked at, how it stands, and what to do about it. */
interface Finding {
  readonly check: 'journal' | 'state' | 'entitlements' | 'certificates' | 'clock';
  readonly verdict: Verdict;
  readonly code?: string;
  readonly message: string;
  readonly next?: string;
}

export const checkCommand: CommandModule<object, CheckArgs> = {
  command: 'check',
  describe: 'Look at a data folder without changing it: journal, state, entitlements, certificates, clock',
  builder: (yargs) =>
    yargs
      .option('data', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'The data folder; its server must be stopped',
      })
      .option('config', { type: 'string', requiresArg: true, describe: 'The TOML file it is served with' })
      .option('json', { type: 'boolean', describe: 'Print one JSON object' })
      .example('$0 check --data /var/lib/berthd', 'exit code 0: all is well; 1: something failed'),
  handler: check,
};

async function check(args: CheckArgs): Promise<void> {
  const folder = await openDataFolder(args.data, { older: true });
  const config = await readConfig(args, folder.stored);
  const { tlsCert: cert, tlsKey: key, tlsCa: ca } = config;
  const findings: Finding[] = await inspectData(folder);
  const own = cert !== undefined && key !== undefined && ca !== undefined ? { cert, key, ca } : undefined;
  findings.push(...(await inspectCertificates(args.data, own)));
  const ok = findings.every(({ verdict }) => verdict !== 'failed');
  printReport(args, { ok, findings }, textOf(findings));
  if (!ok) process.exitCode = 1;
}

function textOf(findings: readonly Finding[]): string {
  const line = ({ check: name, verdict, code, message, next }: Finding): string =>
    `${verdict.padEnd(8)}${name.padEnd(14)}${code === undefined ? '' : `${code} `}${message}\n${next === undefined ? '' : `${' '.repeat(22)}${next}\n`}`;
  return findings.map(line).join('');
}

/** What `serve` would advise, another folder, is of no use here. */
function beingServed(path: string): StartError {
  return new StartError(
    'FOLDER_IN_USE',
    `The data folder ${path} is being served: it can only be checked while its server is stopped.`,
    'Stop the server first, then check. Whether the running one is well: GET /readyz on its port.',
  );
}

async function inspectData(folder: DataFolder): Promise<Finding[]> {
  const store = await LevelStore.open(folder.path, { readOnly: true }).catch((error: unknown) => {
    throw error instanceof FolderLocked ? beingServed(folder.path) : error;
  });
  const now = systemClock.now();
  const findings: Finding[] = [];
  let rebuilt: string | null = null;
  try {
    const { state, journal } = await recover({
      files: nodeFiles,
      folder: folder.path,
      store,
      monoMs: now.monoMs,
      readOnly: true,
      onCut: ({ file, seq }) =>
        findings.push({
          check: 'journal',
          verdict: 'warning',
          message: `An unacknowledged write after record ${seq - 1} in ${file} will be cut at the next start.`,
        }),
      onRebuilt: (reason) => {
        rebuilt = reason;
      },
    });
    const { hash } = journal.position;
    findings.unshift({
      check: 'journal',
      verdict: 'ok',
      message: `${recordsText(journal)}, unbroken up to ${hash.slice(0, 16)}…`,
    });
    findings.push(
      stateFinding(state, rebuilt, now),
      ...entitlementFindings(state, folder),
      clockFinding(state, now),
    );
  } catch (error) {
    findings.push(journalFinding(error));
  } finally {
    await store.close();
  }
  return findings;
}

function recordsText({ position: { seq }, segments }: Journal): string {
  const first = segments[0]?.firstSeq ?? 1;
  if (first > 1) return `Records ${first} to ${seq}, and the base of those that were pruned`;
  return `${seq} ${seq === 1 ? 'record' : 'records'}`;
}

function journalFinding(error: unknown): Finding {
  if (error instanceof NotOneHistory) {
    return {
      check: 'journal',
      verdict: 'failed',
      code: error.code,
      message: error.message,
      next: error.next,
    };
  }
  if (error instanceof JournalCorrupt || error instanceof FormatNewer) {
    const next = error instanceof FormatNewer ? { next: error.next } : {};
    return { check: 'journal', verdict: 'failed', code: error.code, message: error.message, ...next };
  }
  throw error;
}

function stateFinding(state: State, rebuilt: string | null, now: Now): Finding {
  if (state.tables.organisation.size === 0) {
    return {
      check: 'state',
      verdict: 'failed',
      code: 'FOLDER_DAMAGED',
      message: 'The journal has no organisation in it.',
      next: 'Restore a backup.',
    };
  }
  const broken = brokenInvariants(state, now);
  if (broken.length > 0) {
    return {
      check: 'state',
      verdict: 'failed',
      code: 'INVARIANT_BROKEN',
      message: broken.join('; '),
      next: 'Keep the folder as it is and report this.',
    };
  }
  const { user, lease } = state.tables;
  const counts = `${user.size} ${user.size === 1 ? 'user' : 'users'}, ${lease.size} ${lease.size === 1 ? 'lease' : 'leases'}`;
  if (rebuilt === null) return { check: 'state', verdict: 'ok', message: counts };
  return {
    check: 'state',
    verdict: 'warning',
    message: `Stored state not usable (${rebuilt}); the next start rebuilds it from the journal: ${counts}.`,
  };
}

function entitlementFindings(state: State, folder: DataFolder): Finding[] {
  const findings: Finding[] = [];
  for (const { claims, token } of state.tables.entitlement.values()) {
    const verified = verifyEntitlement(token, null, nativeVerify);
    if (verified.ok && claims.sub === folder.identity.keyText) continue;
    const code = verified.ok ? 'ENTITLEMENT_FOREIGN' : verified.fault;
    findings.push({
      check: 'entitlements',
      verdict: 'failed',
      code,
      message: `${claims.jti} does not verify.`,
      next: 'Restore a backup.',
    });
  }
  return findings.length > 0
    ? findings
    : [{ check: 'entitlements', verdict: 'ok', message: `${state.tables.entitlement.size} verified` }];
}

function clockFinding(state: State, now: Now): Finding {
  if (state.tables.organisation.size === 0)
    return { check: 'clock', verdict: 'ok', message: 'nothing to compare with' };
  const behindMs = organisationOf(state).highWaterMs - now.wallMs;
  const seen = new Date(organisationOf(state).highWaterMs).toISOString();
  if (behindMs <= CLOCK_BEHIND_MS)
    return {
      check: 'clock',
      verdict: 'ok',
      message: `not behind ${seen}, recorded at least once a minute while something is written`,
    };
  return {
    check: 'clock',
    verdict: 'failed',
    code: 'CLOCK_BEHIND',
    message: `The clock is behind ${seen}, the latest the server has seen.`,
    next: 'Set the clock right (NTP). If it is right, start berthd, and an admin says so: berth clock accept',
  };
}

async function inspectCertificates(
  folder: string,
  own: { cert: string; key: string; ca: string } | undefined,
): Promise<Finding[]> {
  const found = await inspectTls({ folder, nowMs: systemClock.now().wallMs, own });
  const warnings = found.warnings.map(
    ({ message, next }): Finding => ({
      check: 'certificates',
      verdict: 'warning',
      code: 'CERTIFICATE_EXPIRING',
      message,
      next,
    }),
  );
  if (found.problems.length === 0 && warnings.length === 0) {
    const until =
      found.notAfterMs === undefined
        ? ''
        : `, until ${new Date(found.notAfterMs).toISOString().slice(0, 10)}`;
    return [
      {
        check: 'certificates',
        verdict: 'ok',
        message: `${found.source} certificate for ${found.names.slice(0, 3).join(', ')}…${until}`,
      },
    ];
  }
  const problems = found.problems.map(
    ({ code, message, next }): Finding => ({ check: 'certificates', verdict: 'failed', code, message, next }),
  );
  return [...problems, ...warnings];
}

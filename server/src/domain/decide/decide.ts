import { limits, OFFLINE_REQUEST_AGE_MS, onlineWindowMs } from '@berth/protocol';
import type { Change } from '../changes.js';
import {
  type Command,
  type CommandType,
  type Context,
  type Decider,
  type Decision,
  deny,
  type Outcomes,
  type RequestKey,
} from '../commands.js';
import { type KeptRequest, organisationOf, requestId, type State } from '../state.js';
import { acceptClock } from './accept-clock.js';
import { assign } from './allocation.js';
import { borrow, returnBorrow } from './borrow.js';
import { decideRow, makeJob } from './bulk.js';
import { checkout } from './checkout.js';
import { answerCredits, askCredits } from './credit-requests.js';
import { consumeCredits, setCreditAccess } from './credits.js';
import { importEndorsement } from './endorsement.js';
import { importEntitlement } from './entitlement.js';
import { expire } from './expire.js';
import { grantBorrow } from './grant-borrow.js';
import { createMachineToken, enrolMachine, removeMachine, revokeMachineToken } from './machine.js';
import { retryMail, settleMail, testMail, tryMail } from './mail.js';
import { mailsOf } from './mails.js';
import { move } from './move.js';
import { noteSuperseded } from './note-superseded.js';
import { setOrganisation } from './organisation.js';
import { setPool } from './pool-settings.js';
import { prune, renewBase } from './prune.js';
import { readmit } from './readmit.js';
import { release } from './release.js';
import { removeEntitlement } from './remove-entitlement.js';
import { renew } from './renew.js';
import {
  acceptRestore,
  beginBackup,
  beginRestore,
  noteBackup,
  noteWindow,
  restore,
  rollBack,
} from './restore.js';
import { revoke } from './revoke.js';
import { keepLease, messageLease, revokeLease } from './revoke-lease.js';
import { setUser } from './set-user.js';
import { settlePending } from './settle-pending.js';
import { setSharing } from './sharing.js';
import { unenrol } from './unenrol.js';
import { cancelInvitation, enrol, found, invite, removeUser } from './user.js';

/**
 * What a command leads to in a state: the changes and the outcome, or a denial. Pure: the same state, command and context always
 * give the same decision. Nothing is changed here; `evolve` does that.
 */
export function decide<T extends CommandType>(
  state: State,
  command: Command<T>,
  context: Context,
): Decision<T> {
  const decider = deciders[command.type] as unknown as Decider<T>;
  const request = requestOf(command as unknown as Command);
  if (request === null) return withMails(state, command, decider(state, command, context), context);
  const id = requestId(request.device, request.key);
  const kept = state.tables.request.get(id);
  if (kept !== undefined) return again<T>(kept, command.type, request);
  const decision = withMails(state, command, decider(state, command, context), context);
  // Neither a denial nor what changed nothing needs a key (I7): asked again, they are the same.
  if (!decision.ok || decision.changes.length === 0) return decision;
  return {
    ...decision,
    changes: [...decision.changes, keep(id, command.type, request, decision.outcome, context)],
  };
}

const deciders: { readonly [T in CommandType]: Decider<T> } = {
  found,
  expire,
  settlePending,
  checkpoint: (_state, { token }) => ({
    ok: true,
    changes: [{ type: 'journal.checkpoint', token }],
    outcome: { token },
  }),
  prune,
  renewBase,
  enrol,
  checkout,
  renew,
  release,
  borrow,
  grantBorrow,
  return: returnBorrow,
  import: importEntitlement,
  importEndorsement,
  removeEntitlement,
  setOrganisation,
  invite,
  cancelInvitation,
  setUser,
  unenrol,
  removeUser,
  assign,
  move,
  revoke,
  revokeLease,
  keepLease,
  messageLease,
  noteSuperseded,
  setPool,
  createMachineToken,
  revokeMachineToken,
  enrolMachine,
  removeMachine,
  setSharing,
  acceptClock,
  tryMail,
  settleMail,
  retryMail,
  testMail,
  makeJob,
  decideRow,
  consumeCredits,
  askCredits,
  setCreditAccess,
  answerCredits,
  restore,
  beginRestore,
  noteWindow,
  rollBack,
  readmit,
  acceptRestore,
  beginBackup,
  noteBackup,
};

/** With the mails that follow, in the same commit. */
function withMails<T extends CommandType>(
  state: State,
  command: Command<T>,
  decision: Decision<T>,
  context: Context,
): Decision<T> {
  // What a row of a job leads to has brought its mails.
  if (!decision.ok || decision.changes.length === 0 || command.type === 'decideRow') return decision;
  const mails = mailsOf(state, command as unknown as Command, decision.changes, context);
  return mails.length === 0 ? decision : { ...decision, changes: [...decision.changes, ...mails] };
}

function requestOf(command: Command): RequestKey | null {
  return 'request' in command ? (command.request ?? null) : null;
}

/** What a request led to that was answered before, for whoever has to know it ahead of `decide` (I7); `null`: it is a new one. */
export function keptAnswer<T extends CommandType>(
  state: State,
  type: T,
  request: RequestKey,
): Decision<T> | null {
  const kept = state.tables.request.get(requestId(request.device, request.key));
  return kept === undefined ? null : again<T>(kept, type, request);
}

/** A retry gets the same outcome; the same key for something else is an error (I7). */
function again<T extends CommandType>(kept: KeptRequest, type: T, request: RequestKey): Decision<T> {
  if (kept.method !== type || kept.hash !== request.hash) return deny('KEY_REUSED');
  return { ok: true, changes: [], outcome: kept.outcome as Outcomes[T] };
}

/** Commands whose outcome is kept as long as the leases it brought. */
const taking: ReadonlySet<CommandType> = new Set<CommandType>(['checkout', 'borrow', 'grantBorrow']);

function keptMs(method: CommandType, context: Context): number {
  // Plugins give back a thousand times a day: their retries come within a window or not at all.
  if (method === 'release') return onlineWindowMs(context.leaseSeconds * 1000);
  // A job that broke off asks again when it goes on.
  if (method === 'consumeCredits') return limits.creditKeptMs;
  // A file may be brought again as long as its request is young enough to be granted anew.
  return method === 'grantBorrow' ? 2 * OFFLINE_REQUEST_AGE_MS : limits.requestKeptMs;
}

function keep(
  id: string,
  method: CommandType,
  request: RequestKey,
  outcome: Outcomes[CommandType],
  context: Context,
): Change {
  const leases = 'leases' in outcome && taking.has(method) ? outcome.leases : [];
  return {
    type: 'request.kept',
    request: {
      id,
      method,
      hash: request.hash,
      outcome,
      leases: leases.flatMap((lease) => ('jti' in lease ? [lease.jti] : [])),
      keptMs: keptMs(method, context),
    },
  };
}

/** How far the high-water mark may lag behind the clock before a commit carries it (I5), ms. */
const CLOCK_SEEN_EVERY_MS = 60_000;

/** The change that moves the high-water mark of wall time, if it is time; `null` otherwise. */
export function clockSeen(state: State, wallMs: number): Change | null {
  if (state.tables.organisation.size === 0) return null;
  return wallMs - organisationOf(state).highWaterMs >= CLOCK_SEEN_EVERY_MS
    ? { type: 'clock.seen', wallMs }
    : null;
}

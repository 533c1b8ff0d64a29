import { BerthError, type ServerAttempt } from '@berth/client';
import { type DenialRule, type ErrorCode, errors, type Holder, rules } from '@berth/protocol';
import type { Context } from './context.js';
import { clean, paint } from './output.js';
import { momentWords, seatWords, untilWords } from './words.js';

/** Facts about a failure beyond its code, as the server or the SDK gave them. */
export interface FailureDetail {
  readonly rule?: string | null;
  readonly holders?: readonly Holder[];
  /** When the next seat can be free, milliseconds since 1970. */
  readonly nextFreeAtMs?: number | null;
  readonly servers?: readonly ServerAttempt[];
  /** Further members of the server's answer. `untilMs`: when what blocks (a borrow) ends. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** What a command throws when it cannot do what it was asked: becomes `berth: CODE sentence` and the exit code of the catalogue. */
export class Failure extends Error {
  readonly code: ErrorCode;
  readonly next: string;
  readonly exitCode: number;
  readonly detail: FailureDetail;

  constructor(
    code: ErrorCode,
    options: { message?: string; next?: string; exitCode?: number; detail?: FailureDetail } = {},
  ) {
    super(options.message ?? errors[code].text);
    this.code = code;
    this.next = options.next ?? errors[code].next;
    this.exitCode = options.exitCode ?? errors[code].exit;
    this.detail = options.detail ?? {};
  }
}

/** A wrong command line: exit 2. */
export function usage(message: string, next?: string): Failure {
  return new Failure('USAGE', next === undefined ? { message } : { message, next });
}

/** Everything that was thrown becomes a Failure here and nowhere else. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof BerthError) {
    const { code, message, hint, rule, holders, nextFreeAtMs, servers, detail, exitCode } = error;
    const facts = { rule, holders, nextFreeAtMs, servers, more: detail };
    return new Failure(code, { message, next: hint, exitCode, detail: facts });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('INTERNAL', {
    message: `Something unexpected happened: ${message}`,
    next: 'Set BERTH_DEBUG=1 and try again to see where; please report it.',
  });
}

/** A dry run that the server knows no question for: nothing was tried, and nothing is done instead. Other failures stay as they are. */
export function ofDryRun(error: unknown): unknown {
  if (!isMethodUnknown(error)) return error;
  return new Failure('METHOD_UNKNOWN', {
    message:
      'The server is older than this `berth` and cannot say ahead what this would do. Nothing was changed.',
    next: 'Update berthd (both versions: `berth whoami`), or leave --dry-run out: then it is done.',
    detail: toFailure(error).detail,
  });
}

/** True when the server itself said so. What a code of a later version becomes here names that code. */
export function isMethodUnknown(error: unknown): boolean {
  if (!(error instanceof Failure || error instanceof BerthError)) return false;
  const { code, detail } = toFailure(error);
  const said = detail.more?.code;
  return code === 'METHOD_UNKNOWN' && (said === undefined || said === code);
}

/** The error object of `--json`: what is not known is left out. */
export function failureJson(failure: Failure): Record<string, unknown> {
  const { code, message, next, exitCode, detail } = failure;
  const { rule, holders, nextFreeAtMs, servers, more } = detail;
  return {
    ...more,
    code,
    message,
    next,
    exitCode,
    ...(rule ? { rule } : {}),
    ...(holders?.length || code === 'NO_SEAT' ? { holders: holders ?? [] } : {}),
    ...(typeof nextFreeAtMs === 'number' ? { nextFreeAtMs } : {}),
    ...(servers?.length ? { servers } : {}),
  };
}

/** What happened, why, and what to do next (STYLE 11), for stderr. */
export function failureText(failure: Failure, context: Pick<Context, 'nowMs' | 'stderr'>): string {
  const code = paint(context.stderr, 'red', failure.code);
  const lines = [
    `berth: ${code} ${clean(failure.message)}`,
    ...detailLines(failure, context.nowMs()),
    `Next: ${clean(failure.next)}`,
  ];
  return `${lines.join('\n')}\n`;
}

function detailLines(failure: Failure, nowMs: number): string[] {
  const { rule, holders = [], nextFreeAtMs, servers = [], more } = failure.detail;
  const lines = [];
  const why = rule && Object.hasOwn(rules, rule) ? rules[rule as DenialRule] : undefined;
  if (why !== undefined)
    lines.push(failure.message.includes(why) ? `Rule: ${rule}` : `Why: ${why} (${rule})`);
  if (typeof more?.untilMs === 'number') lines.push(`It ends ${momentWords(more.untilMs, nowMs)}.`);
  if (holders.length > 0)
    lines.push('Held by:', ...holders.map((holder) => `  ${holderLine(holder, nowMs)}`));
  lines.push(...sources(more?.allocatedTo, more?.more));
  lines.push(
    ...otherProducts('Also tried', more?.alsoTried),
    ...otherProducts('Also missing', more?.alsoMissing),
  );
  if (typeof nextFreeAtMs === 'number') lines.push(`A seat can be free ${momentWords(nextFreeAtMs, nowMs)}.`);
  lines.push(...servers.flatMap((server) => triedLine(server, failure.message)));
  return lines;
}

/** Whom a seat could be moved from (ALL_ALLOCATED). */
function sources(list: unknown, more: unknown): string[] {
  if (!Array.isArray(list) || list.length === 0) return [];
  const line = ({ email, quantity, idle }: { email?: unknown; quantity?: unknown; idle?: unknown }): string =>
    `  ${clean(String(email))}: ${seatWords(Number(quantity))}${typeof idle === 'number' ? `, ${idle} of them idle` : ''}`;
  const others = typeof more === 'number' && more > 0 ? [`  and ${more} more: berth license list`] : [];
  return ['Allocated to:', ...list.map(line), ...others];
}

/** The other products of a checkout that were refused, each with its rule. */
function otherProducts(what: string, list: unknown): string[] {
  if (!Array.isArray(list) || list.length === 0) return [];
  const words = list.map((one: { product?: unknown; rule?: unknown }) => `${one?.product} (${one?.rule})`);
  return [`${what}: ${clean(words.join(', '))}`];
}

/** Each server that was tried, unless the message has said it all. */
function triedLine({ address, code, message }: ServerAttempt, said: string): string[] {
  if (said.includes(address) && said.includes(message)) return [];
  return [`Tried ${clean(address)}${said === message ? '' : `: ${code} ${clean(message)}`}`];
}

const kindWords: Record<Holder['kind'], string> = {
  online: 'in use',
  borrow: 'borrowed',
  held: 'held until its right has certainly ended',
};

function holderLine(holder: Holder, nowMs: number): string {
  const who = `${clean(holder.user)} on ${clean(holder.device)}`;
  const since = `since ${untilWords(holder.sinceMs, nowMs)}`;
  const until = `until ${untilWords(holder.untilMs, nowMs)}${holder.kind === 'online' ? ' unless renewed' : ''}`;
  return `${who}: ${seatWords(holder.seats)} ${kindWords[holder.kind]} ${since}, ${until}`;
}

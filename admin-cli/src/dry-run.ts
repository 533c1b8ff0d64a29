import type { AdminConnection } from '@berth/client';
import {
  type BulkKind,
  type BulkRowInfo,
  type ErrorCode,
  errors,
  type ParamsOf,
  type ResultOf,
  requests,
} from '@berth/protocol';
import { withTable } from './bulk.js';
import type { Context, Output } from './context.js';
import { type Failure, failureJson, toFailure } from './fail.js';
import { type Answer, type Column, table } from './output.js';
import { listPages, parsePaging } from './pages.js';
import { given } from './parse.js';
import { withAdmin } from './session.js';
import { momentCell, momentWords, seatWords } from './words.js';

// What a command that changes more than one thing would touch. Facts, asked of the server, which is also asked whether it would agree: no rule is known
// here.

export const dryRunOption = {
  'dry-run': {
    type: 'boolean',
    default: false,
    describe: 'show whom and what it would touch, and change nothing',
  },
} as const;

type Lease = ResultOf<'lease.list'>['items'][number];
/** With what would become of it, where that is not the same of all. */
type Touched = Lease & { readonly would?: string };
type Allocation = ResultOf<'allocation.list'>['items'][number];

interface Scope {
  readonly email?: string | undefined;
  /** What was typed for the e-mail address: a login name says nothing of whose it is. */
  readonly called?: string;
  readonly product?: string | undefined;
  /** Only what is in use at the device of this name: what is set aside is the member's. */
  readonly device?: string;
  /** Only what is of this entitlement. */
  readonly entitlement?: string;
  /** Only what is of entitlements that end on this day. */
  readonly expires?: string | undefined;
  /** Only what uses shared seats, with what would become of it; what is set aside is not touched. */
  readonly fate?: (lease: Lease) => string;
}

/** What the server says to a change ahead. */
export interface Judged {
  readonly document: object;
  /** How many things it was asked for, and which of them it would refuse. */
  readonly asked: number;
  readonly refusals: readonly { readonly said: string; readonly code: string }[];
  /** What it would do, where the server says more than what there is. */
  readonly would?: readonly string[];
  /** More than one was named, be it twice the same. */
  readonly several?: boolean;
}

const unasked: Judged = { document: {}, asked: 0, refusals: [] };

/** @param change as in `Would remove …` @param find where its leases and allocations are @param judge what the server would say */
export async function dryRun(
  context: Context,
  change: string | ((scopes: readonly Scope[]) => string),
  find: Scope | ((admin: AdminConnection) => Promise<Scope | Scope[]>),
  judge?: (admin: AdminConnection) => Promise<Judged>,
): Promise<Answer> {
  const { found, judged, scopes } = await withAdmin(context, async (admin) => {
    const scopes = [typeof find === 'function' ? await find(admin) : find].flat();
    const each = [];
    for (const scope of scopes) each.push(await touched(admin, scope));
    return { found: each, judged: (await judge?.(admin)) ?? unasked, scopes };
  });
  const what = typeof change === 'string' ? change : change(scopes);
  const leases = found.flatMap((one) => one.leases);
  const allocations = found.flatMap((one) => one.allocations);
  const { asked, refusals } = judged;
  const borrowed = leases.filter(({ kind }) => kind === 'borrow');
  return {
    document: { dryRun: true, what, leases, allocations, ...judged.document },
    text: (screen) => texts(leases, allocations, screen).join('\n\n'),
    notes: [
      `${wouldWhat(what, refusals.length, asked)}. ${there(scopes, leases, allocations)}Nothing was changed.`,
      ...(borrowed.length === 0
        ? []
        : [
            `Of those in use, ${seatWords(sum(borrowed.map(({ seats }) => seats)))} borrowed: a borrow is never cut short.`,
          ]),
      ...(judged.would ?? []),
      ...refusals.map(({ said }) => said),
    ],
    exitCode: refusals.length === 0 ? 0 : exitOf(refusals, judged.several ?? asked > 1),
  };
}

function there(
  scopes: readonly Scope[],
  leases: readonly Lease[],
  allocations: readonly Allocation[],
): string {
  if (scopes.length === 0) return '';
  const used = seatWords(sum(leases.map(({ seats }) => seats)));
  if (scopes.some(({ fate }) => fate !== undefined)) return `There: ${used} of the shared ones in use. `;
  return `There: ${used} in use and ${seatWords(sum(allocations.map(({ quantity }) => quantity)))} set aside. `;
}

/** What is refused altogether is not said to happen. */
function wouldWhat(what: string, refused: number, asked: number): string {
  if (refused === 0) return `Would ${what}`;
  return refused === asked ? `Would not ${what}` : `Would ${what}, but for ${refused} of ${asked}`;
}

/** As the change itself would: of one its code, of several 1. */
function exitOf([first]: Judged['refusals'], several: boolean): number {
  const code = first?.code ?? '';
  return !several && Object.hasOwn(errors, code) ? errors[code as ErrorCode].exit : 1;
}

/** What the server would say to it, row by row: it decides them as it would, and changes nothing (`berth bulk preview`). */
export async function verdicts(
  context: Context,
  admin: AdminConnection,
  { kind, header, rows, pending }: { kind: BulkKind; header: string[]; rows: string[][]; pending: boolean },
): Promise<Judged> {
  const upload = context.sdk.newIdempotencyKey();
  const table = { header, rows: rows.map((cells, at) => ({ line: at + 1, cells })) };
  const all = parsePaging({ limit: undefined, cursor: undefined });
  const asked = { upload, kind, ...(pending ? { pending } : {}) };
  const { items } = await withTable(context, admin, upload, table, () =>
    listPages<BulkRowInfo>(all, (page) => admin.call('bulk.preview', { ...asked, ...page })),
  );
  const refused = items.filter(({ verdict }) => verdict === 'failed');
  const refusals = refused.map(({ email, code = '', message }) => ({
    said: `Would be refused for ${email}: ${code} ${message}`,
    code,
  }));
  return { document: { verdicts: items }, asked: items.length, refusals };
}

type Preview =
  | 'allocation.assign.preview'
  | 'allocation.move.preview'
  | 'allocation.revoke.preview'
  | 'entitlement.remove.preview'
  | 'sharing.set.preview'
  | 'user.unenrol.preview';

/** What the server would say to one change. @param words of what it would do @throws Failure what is no answer to it */
export async function verdict<M extends Preview>(
  context: Context,
  admin: AdminConnection,
  method: M,
  params: ParamsOf<M>,
  words: (would: ResultOf<M>) => readonly string[] = () => [],
): Promise<Judged> {
  try {
    const would: ResultOf<M> = await admin.call(method, params);
    return { document: { would, refused: null }, asked: 1, refusals: [], would: words(would) };
  } catch (error) {
    const failure = toFailure(error);
    if (!requests[method].errors.includes(failure.code)) throw error;
    const refusals = [
      { said: `Would be refused: ${sentence(failure, context.nowMs())}`, code: failure.code },
    ];
    return { document: { would: null, refused: failureJson(failure) }, asked: 1, refusals };
  }
}

function sentence({ code, message, next, detail }: Failure, nowMs: number): string {
  const untilMs = detail.more?.untilMs;
  const ends = typeof untilMs === 'number' ? ` It ends ${momentWords(untilMs, nowMs)}.` : '';
  return `${code} ${message}${ends} ${next}`;
}

/** Where what a member has is. @throws Failure USER_UNKNOWN, as the change itself would */
export async function memberCalled(
  admin: AdminConnection,
  called: string,
): Promise<{ readonly email: string; readonly called: string }> {
  return { email: (await admin.call('user.show', { email: called })).user.email, called };
}

/** The same of several, who succeed or fail alone: nobody is at the address of whom nobody knows, and the verdicts say so. */
export async function membersCalled(
  admin: AdminConnection,
  called: readonly string[],
): Promise<{ readonly email: string; readonly called: string }[]> {
  if (called.length === 1) return [await memberCalled(admin, called[0]!)];
  const found = await Promise.allSettled(called.map((each) => memberCalled(admin, each)));
  const once = new Set<string>();
  return found.flatMap((one) => {
    if (one.status === 'fulfilled') return once.size === once.add(one.value.email).size ? [] : [one.value];
    const { code } = toFailure(one.reason);
    if (code !== 'USER_UNKNOWN' && code !== 'EMAIL_INVALID') throw one.reason;
    return [];
  });
}

/** As in `bo@studio.example (lgt07)`. */
export function whomWords({ email = '', called = email }: Scope): string {
  return called.toLowerCase() === email ? email : `${email} (${called})`;
}

async function touched(
  admin: AdminConnection,
  { email, product, device, entitlement, expires, fate }: Scope,
): Promise<{ leases: Touched[]; allocations: Allocation[] }> {
  const all = parsePaging({ limit: undefined, cursor: undefined });
  const filter = given({ email, product });
  const isOf = (row: { readonly entitlement: string; readonly device?: string }) =>
    (entitlement === undefined || row.entitlement === entitlement) &&
    (device === undefined || row.device === device);
  const leases = await listPages<Lease>(all, (page) => admin.call('lease.list', { ...page, ...filter }));
  if (fate !== undefined) {
    const shared = leases.items.filter(({ allocated }) => !allocated);
    return { leases: shared.map((row) => ({ ...row, would: fate(row) })), allocations: [] };
  }
  const allocations = await listPages<Allocation>(all, (page) =>
    admin.call('allocation.list', { ...page, ...filter }),
  );
  const aside = allocations.items.filter(
    (row) => isOf(row) && (expires === undefined || row.expires === expires),
  );
  const meant = new Set(aside.map((row) => row.entitlement));
  const used = leases.items.filter(
    (row) => isOf(row) && (expires === undefined || meant.has(row.entitlement)),
  );
  return { leases: used, allocations: aside };
}

const wouldColumn: Column<Touched> = { title: 'WOULD', weight: 'high', cell: ({ would = '' }) => would };

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function texts(leases: readonly Touched[], allocations: readonly Allocation[], screen: Output): string[] {
  const inUse = table(
    leases,
    [
      { title: 'IN USE', weight: 'id', cell: (row) => row.id },
      { title: 'PRODUCT', cell: (row) => row.product },
      { title: 'SEATS', cell: (row) => row.seats },
      { title: 'KIND', cell: (row) => row.kind },
      { title: 'USER', cell: (row) => row.user },
      { title: 'DEVICE', cell: (row) => row.device },
      { title: 'ENDS', cell: (row) => momentCell(row.expiresAtMs) },
      ...(leases.some(({ would }) => would !== undefined) ? [wouldColumn] : []),
    ],
    screen,
  );
  const aside = table(
    allocations,
    [
      { title: 'SET ASIDE FOR', weight: 'id', cell: (row) => row.email },
      { title: 'PRODUCT', cell: (row) => row.product },
      { title: 'QUANTITY', cell: (row) => row.quantity },
      { title: 'EXPIRES', cell: (row) => row.expires },
      { title: 'ENTITLEMENT', cell: (row) => row.entitlement },
    ],
    screen,
  );
  return [...(leases.length === 0 ? [] : [inUse]), ...(allocations.length === 0 ? [] : [aside])];
}

import {
  AUDIT_PART_BYTES,
  type AuditEntry,
  auditKinds,
  canonicalAlias,
  canonicalEmail,
  limits,
  type ParamsOf,
  type Pruned as PrunedInfo,
} from '@berth/protocol';
import { nearest } from '@berth/protocol/nearest';
import type { Entry, Place, Query, Shown } from '../audit/entry.js';
import { deny } from '../domain/commands.js';
import type { Pruned } from '../domain/pruned.js';
import { organisationOf, type State } from '../domain/state.js';
import type { Answer, Handlers } from '../transport/api.js';
import type { HandlerDeps } from './deps.js';
import { asked } from './request.js';

type AuditHandlers = Pick<
  Handlers,
  | 'audit.list'
  | 'audit.records'
  | 'audit.checkpoint'
  | 'audit.segments'
  | 'audit.prune.preview'
  | 'audit.prune'
>;

export function auditHandlers(deps: HandlerDeps): AuditHandlers {
  const { audit, engine, issuer, clock, pruner } = deps;
  return {
    'audit.list': async (params): Promise<Answer<'audit.list'>> => {
      const { after, cursor, limit = limits.pageRows, kind } = params;
      if (kind !== undefined && !auditKinds.some((each) => each === kind || each.startsWith(`${kind}.`)))
        return deny('PARAMS_INVALID', `"${kind}" is no kind of change.`, { field: 'kind' }, kindsFor(kind));
      const query = queryOf(deps, params);
      const from = placeIn(after);
      const found =
        from === null
          ? await audit.newest(query, placeIn(cursor), limit)
          : await audit.after(query, from, limit);
      const all = found.entries.map((entry) => viewOf(deps.state, entry));
      const items = withinFrame(all);
      // What does not fit the frame comes with the next one.
      const cut = items.length < all.length ? found.entries[items.length - 1]! : null;
      const next = from === null ? (cut ?? found.next) : null;
      const upTo = from === null ? found.upTo : (cut ?? found.upTo);
      const { pruned } = organisationOf(deps.state);
      const where = { next: next && cursorOf(next), at: cursorOf(upTo) };
      return { ok: true, result: { items, ...where, ...(pruned ? { pruned: prunedView(pruned) } : {}) } };
    },
    'audit.records': async ({ from, until = Number.MAX_SAFE_INTEGER }): Promise<Answer<'audit.records'>> => {
      const { parts, next } = await audit.records(from, until, AUDIT_PART_BYTES);
      const shown = parts.map(({ prev, bytes, ...part }) => ({
        ...part,
        prev: Buffer.from(prev, 'hex').toString('base64url'),
        bytes: Buffer.from(bytes).toString('base64url'),
      }));
      return { ok: true, result: { parts: shown, next } };
    },
    'audit.checkpoint': async (params, caller) => {
      const iat = Math.floor(clock.now().wallMs / 1000);
      const end = params.until === undefined ? null : await pruner.endOf(params.until);
      if (end !== null && 'ok' in end) return end;
      const at = end === null ? {} : { seq: end.seq, head: headOf(end.hash) };
      const token = issuer.issue('checkpoint', { ...engine.witness, ...at, iat });
      const settled = await engine.submit({
        type: 'checkpoint',
        token,
        ...asked('audit.checkpoint', params, caller),
      });
      return settled.ok ? { ok: true, result: { checkpoint: settled.outcome.token } } : settled;
    },
    'audit.segments': async ({ from = 0 }): Promise<Answer<'audit.segments'>> => {
      const { segments, next } = await audit.segments(from, limits.auditSegments, clock.now().steadyWallMs);
      const { pruned } = organisationOf(deps.state);
      const shown = segments.map(({ last, ...segment }) => ({
        ...segment,
        ...{ until: last.seq, head: headOf(last.hash) },
      }));
      return { ok: true, result: { segments: shown, next, pruned: pruned ? prunedView(pruned) : null } };
    },
    'audit.prune.preview': async (params): Promise<Answer<'audit.prune.preview'>> => {
      const found = await pruner.preview(params);
      return 'ok' in found ? found : { ok: true, result: found };
    },
    'audit.prune': async (params, caller) => {
      const settled = await pruner.prune({ ...params, ...asked('audit.prune', params, caller) });
      if (!settled.ok) return settled;
      const { pruned } = settled.outcome;
      return { ok: true, result: { pruned: prunedView(pruned), from: pruned.from, bytes: pruned.bytes } };
    },
  };
}

function headOf(hash: string): string {
  return Buffer.from(hash, 'hex').toString('base64url');
}

function prunedView({ seq, hash, atMs, by }: Pruned): PrunedInfo {
  return { until: seq, head: headOf(hash), atMs, by };
}

/** What to give instead. */
function kindsFor(kind: string): string {
  const near = nearest(kind, [...new Set(auditKinds.flatMap((each) => [each.split('.')[0]!, each]))]);
  const meant = near === undefined ? '' : `Did you mean ${near}? `;
  return `${meant}Give one of these, or its first word for all of them: ${auditKinds.join(', ')}.`;
}

function queryOf(
  { state }: Pick<HandlerDeps, 'state'>,
  { user, by, product, kind, people, sinceMs, untilMs }: ParamsOf<'audit.list'>,
): Query {
  const said = {
    user: user && nameIn(state, user),
    by: by && nameIn(state, by),
    product,
    kind,
    people,
    sinceMs,
    untilMs,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** By e-mail or login name. Who was removed long ago is looked for too, and so is a machine: any other text is taken as it is. */
function nameIn(state: State, text: string): string {
  const alias = canonicalAlias(text);
  const member = alias === null ? undefined : state.derived.userByAlias.get(alias);
  return member ?? canonicalEmail(text) ?? text;
}

function viewOf(state: State, { changes, ...entry }: Entry): AuditEntry {
  const deviceName = entry.device === null ? null : (state.tables.device.get(entry.device)?.name ?? null);
  const more = changes.length - limits.auditChanges;
  return {
    ...entry,
    deviceName,
    changes: changes.slice(0, limits.auditChanges).map(changeView),
    ...(more > 0 ? { more } : {}),
  };
}

function changeView({ kind, facts, was }: Shown): AuditEntry['changes'][number] {
  const said = Object.entries(facts).filter(([name, value]) => value !== null || name in was);
  return {
    kind,
    facts: said.map(([name, value]) => ({
      name,
      value: textOf(value),
      ...(name in was ? { was: textOf(was[name]!) } : {}),
    })),
  };
}

function textOf(value: string | number | boolean | null): string {
  return value === null ? '' : String(value);
}

/** As many as fit a frame, at least one. */
function withinFrame(entries: readonly AuditEntry[]): AuditEntry[] {
  const items: AuditEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes > PAGE_BYTES && items.length > 0) break;
    items.push(entry);
  }
  return items;
}

const PAGE_BYTES = limits.replyBytes - 16 * 1024;

function cursorOf({ seq, place }: Place): string {
  return `${seq}.${place}`;
}

/** One that cannot be read begins with the newest, as everywhere. */
function placeIn(cursor: string | undefined): Place | null {
  const [seq, place] = (cursor ?? '').split('.').map(Number);
  return Number.isSafeInteger(seq) && Number.isSafeInteger(place) ? { seq: seq!, place: place! } : null;
}

import type { AdminConnection } from '@berth/client';
import type { MemberInfo, ParamsOf, ResultOf } from '@berth/protocol';
import { canonicalAlias, roleAtLeast } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { dryRunOption } from '../dry-run.js';
import { usage } from '../fail.js';
import type { Answer } from '../output.js';
import { listPages, parsePaging } from '../pages.js';
import { given, optional, parseName, parseUser, quote } from '../parse.js';
import { withAdmin } from '../session.js';
import { momentWords } from '../words.js';

export const userSet = defineCommand({
  usage: 'set <email>',
  describe: 'Change the role, the name or the login names of a member',
  positionals: { email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' } },
  options: {
    role: { type: 'string', describe: 'owner, admin, viewer or user; at most your own' },
    name: { type: 'string', describe: 'name of the person; empty: none' },
    alias: {
      type: 'string',
      array: true,
      describe: 'a login name of a workstation: STUDIO\\lgt07, lgt07 and LGT07 are the same; may be repeated',
    },
    'remove-alias': { type: 'string', array: true, describe: 'a login name that is theirs no more' },
    ...dryRunOption,
  },
  examples: [
    [
      'berth user set anna@studio.example --role admin',
      'she may administer, with the devices she joins from now on',
    ],
    [
      'berth user set anna@studio.example --role admin --dry-run',
      'whether she may become one, and whether a link of hers would end',
    ],
    ['berth user set anna@studio.example --name "Anna Ek"', 'her name'],
    ["berth user set anna@studio.example --alias 'STUDIO\\lgt07'", 'how her workstation calls her'],
  ],
  more: 'If somebody else changes the same between the look and the change, nothing is changed and the command says what it is now (CHANGED_MEANWHILE).',
  run: async (context, args) => {
    const { role, alias, 'remove-alias': removed } = args;
    const name = optional(args.name, parseName);
    if ([role, name, alias, removed].every((each) => each === undefined))
      throw usage('Nothing to set.', 'Give --role, --name, --alias or --remove-alias.');
    for (const each of [...(alias ?? []), ...(removed ?? [])].map(String))
      if (canonicalAlias(each) === null)
        throw usage(`${quote(each)} is not a login name.`, 'Write it as STUDIO\\lgt07 or lgt07.');
    const email = parseUser(args.email);
    const aliases = { addAliases: alias?.map(String), removeAliases: removed?.map(String) };
    if (args['dry-run']) return await wouldSet(context, given({ email, name, role, ...aliases }));
    const { before, document, unable } = await withAdmin(context, async (admin) => {
      const { user, changed } = await admin.call('user.show', { email });
      const was = given({
        name: name === undefined ? undefined : user.name,
        role: role === undefined ? undefined : user.role,
      });
      const params = given({ email: user.email, name, role, ...aliases, was });
      const key = context.sdk.newIdempotencyKey();
      const document = await admin.call('user.set', { key, ...params });
      // It is done: what cannot be looked up now is no failure of it.
      const unable = gained(user, document.user)
        ? await withoutAdministration(admin, user.email).catch(() => [])
        : [];
      return { before: { ...user, changed }, document, unable };
    });
    return {
      document,
      text: '',
      notes: [...notesOf(document, unable), ...overNote(before, document.user, context.nowMs())],
    };
  },
});

async function wouldSet(context: Context, asked: ParamsOf<'user.set.preview'>): Promise<Answer> {
  const would = await withAdmin(context, (admin) => admin.call('user.set.preview', asked));
  const { user, changed, linksEnded } = would;
  const notes = [
    changed
      ? `${user.email} would be ${memberWords(user)}.`
      : `Nothing to change: ${user.email} is like that.`,
    ...(linksEnded === undefined
      ? []
      : ['The link they have would end with it, since it is for a lower role.']),
    'Nothing was changed.',
  ];
  return { document: { dryRun: true, ...would }, text: '', notes };
}

function memberWords({ role, name, aliases }: MemberInfo): string {
  const names = aliases.length === 0 ? '' : `, login names ${aliases.join(', ')}`;
  return `${role}${name === '' ? '' : `, ${name}`}${names}`;
}

/** Whoever comes a moment after another admin undoes what that one did: they are told what it was. */
function overNote(
  before: MemberInfo & { readonly changed: ResultOf<'user.show'>['changed'] },
  now: MemberInfo,
  nowMs: number,
): string[] {
  const { changed } = before;
  const fields = (['role', 'name'] as const).filter((field) => before[field] !== now[field]);
  if (changed === undefined || fields.length === 0) return [];
  const was = fields.map((field) => `${field} ${before[field] || 'empty'}`).join(', ');
  return [`Before: ${was}; last changed ${momentWords(changed.atMs, nowMs)} by ${changed.by}.`];
}

/** Of those without administration so many are named. */
const devicesNamed = 5;

/** True when somebody may administer who might not before. */
function gained(before: MemberInfo, after: MemberInfo): boolean {
  return before.role === 'user' && roleAtLeast(after.role, 'viewer') && after.devices > 0;
}

/** Keys are made once, when a device joins: one that joined as a user has none for administration. The role may have been another one then. */
async function withoutAdministration(admin: AdminConnection, email: string): Promise<string[]> {
  const paging = parsePaging({ limit: undefined, cursor: undefined });
  const { items } = await listPages(paging, (page) => admin.call('user.devices', { ...page, email }));
  return items.filter(({ scopes }) => !scopes.includes('admin')).map(({ name }) => name);
}

function notesOf({ user, changed, linksEnded }: ResultOf<'user.set'>, unable: readonly string[]): string[] {
  if (!changed) return [`Nothing changed: ${user.email} was like that already.`];
  const notes = [`${user.email} is now ${memberWords(user)}.`];
  if (unable.length > 0)
    notes.push(
      `Joined without administration: ${unable.slice(0, devicesNamed).join(', ')}${unable.length > devicesNamed ? ', …' : ''}. A link with it: berth user invite ${user.email} --device`,
    );
  if (linksEnded !== undefined)
    notes.push(
      `The link they had ends with it, since it was for a lower role: berth user invite ${user.email} ${user.state === 'invited' ? '--resend' : '--device'}`,
    );
  return notes;
}

import { parseJoinLink } from '@berth/protocol';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure, usage } from '../fail.js';
import { cancellable } from '../session.js';

export const join = defineCommand({
  usage: 'join [link]',
  describe: 'Join a licence server with the link from an invitation',
  positionals: { link: { type: 'string', describe: 'berth://…; - or nothing to read it from stdin' } },
  options: {
    name: { type: 'string', describe: 'name for this context; after the organisation when left out' },
    'device-name': { type: 'string', describe: 'how admins see this computer; its host name when left out' },
  },
  examples: [
    ["berth join 'berth://licences.example:7433/?key=…&token=…'", 'join; quote the link, it has a & in it'],
    ['berth join - < link.txt', 'read the link from a file, so that it is in no shell history'],
  ],
  more: 'The keys of this device are made here and never leave it. The context becomes the current one.',
  run: async (context, args) => {
    const link = onlyLink(await linkText(context, args.link));
    const { context: joined, user } = await cancellable(
      context,
      context.sdk.joinServer({
        link,
        home: context.settings.home,
        name: args.name ?? context.settings.contextName,
        deviceName: args['device-name'],
        signal: context.signal,
      }),
    );
    const document = {
      context: joined.name,
      servers: joined.servers,
      organisation: joined.organisation,
      user,
      device: { id: joined.device, name: joined.deviceName },
      server: { id: joined.serverId, key: joined.serverKey },
      scopes: joined.scopes,
    };
    const text = `Joined ${joined.organisation} as ${user.email} (${user.role}). Context "${joined.name}" is now current.`;
    return { document, text: '', notes: [text] };
  },
});

async function linkText(context: Context, given: string | undefined): Promise<string> {
  const { stdin, settings } = context;
  if (given !== undefined && given !== '-') return given;
  if (given === '-' || !stdin.isTty) return await cancellable(context, stdin.readAll());
  if (settings.noInput) throw usage('No join link is given.', 'Give it as an argument, or on stdin.');
  return await cancellable(context, stdin.ask('Join link: ', context.signal));
}

/** The link in the text; around it there may be other words, as in the output of `berthd init`. */
function onlyLink(text: string): string {
  const links = text.match(/berth:\/\/\S+/g) ?? [];
  if (links.length > 1)
    throw usage(`There are ${links.length} join links; one is wanted.`, 'Give only one of them.');
  const link = links[0];
  if (link === undefined || parseJoinLink(link) === null) throw new Failure('LINK_INVALID', linkHelp(text));
  return link;
}

/** The commonest way to break a link: an unquoted `&` ends the command line there. */
function linkHelp(text: string): { next?: string } {
  const cut = text.includes('key=') && !text.includes('token=');
  return cut ? { next: "The link ends before `&token=`: put it between quotes, 'berth://…'." } : {};
}

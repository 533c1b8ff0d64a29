import type { AdminConnection } from '@berth/client';
import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { dryRun, dryRunOption, memberCalled, verdict, whomWords } from '../dry-run.js';
import { Failure } from '../fail.js';
import { listPages, parsePaging } from '../pages.js';
import { parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

export const userUnenrol = defineCommand({
  usage: 'unenrol <email> <device>',
  describe: 'Lock a device of a member out; its leases end',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' },
    device: { type: 'string', demandOption: true, describe: 'id or name as in `berth user devices`' },
  },
  options: dryRunOption,
  examples: [
    [
      'berth user unenrol anna@studio.example ws-17 --dry-run',
      'what is in use there, and whether it would be refused',
    ],
    ['berth user unenrol anna@studio.example ws-17', 'the computer that was stolen'],
    ['berth user unenrol anna@studio.example d8f2 --yes', 'by its id, without being asked'],
  ],
  more: 'Refused while the device has a borrow: it has to end or be returned first. To let the computer in again: `berth user invite EMAIL --device`.',
  run: async (context, args) => {
    const email = parseUser(args.email);
    const { device } = args;
    if (args['dry-run'])
      return await dryRun(
        context,
        ([scope]) => `lock ${scope!.device} of ${whomWords(scope!)} out`,
        async (admin) => {
          const member = await memberCalled(admin, email);
          return { ...member, device: await deviceCalled(admin, member.email, device) };
        },
        (admin) => verdict(context, admin, 'user.unenrol.preview', { email, device }),
      );
    await confirm(context, `Lock ${device} of ${email} out? Its leases end.`);
    const key = context.sdk.newIdempotencyKey();
    const document = await withAdmin(context, (admin) => admin.call('user.unenrol', { key, email, device }));
    const ended = document.leasesRevoked === 0 ? '' : ` ${document.leasesRevoked} of its leases ended.`;
    return {
      document,
      text: '',
      notes: [`Locked out: ${document.device.name} of ${document.email}.${ended}`],
    };
  },
});

/** The name of a device that is given by name or id. @throws Failure as the change itself would */
async function deviceCalled(admin: AdminConnection, email: string, called: string): Promise<string> {
  const all = parsePaging({ limit: undefined, cursor: undefined });
  const { items } = await listPages(all, (page) => admin.call('user.devices', { ...page, email }));
  const byId = items.find(({ id }) => id === called);
  if (byId !== undefined) return byId.name;
  const found = items.filter(({ name }) => name === called);
  if (found.length === 1) return called;
  throw new Failure(found.length === 0 ? 'USER_DEVICE_UNKNOWN' : 'USER_DEVICE_AMBIGUOUS');
}

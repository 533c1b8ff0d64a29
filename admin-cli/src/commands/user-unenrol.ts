import { defineCommand } from '../command.js';
import { confirm } from '../confirm.js';
import { parseUser } from '../parse.js';
import { withAdmin } from '../session.js';

export const userUnenrol = defineCommand({
  usage: 'unenrol <email> <device>',
  describe: 'Lock a device of a member out; its leases end',
  positionals: {
    email: { type: 'string', demandOption: true, describe: 'e-mail address, or a login name' },
    device: { type: 'string', demandOption: true, describe: 'id or name as in `berth user devices`' },
  },
  examples: [
    ['berth user unenrol anna@studio.example ws-17', 'the computer that was stolen'],
    ['berth user unenrol anna@studio.example d8f2 --yes', 'by its id, without being asked'],
  ],
  more: 'Refused while the device has a borrow: it has to end or be returned first. To let the computer in again: `berth user invite EMAIL --device`.',
  run: async (context, args) => {
    const email = parseUser(args.email);
    const { device } = args;
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

import { eachAct } from './acts.js';
import type { Evidence, Finding } from './evidence.js';

/** How much a role may: whoever may more may all that others may. */
const ranks = ['user', 'viewer', 'admin', 'owner'];

/** Commands by the least role that may ask for them, written down a second time (PROTOCOL 7); any other is for everybody. */
const least: Readonly<Record<string, string>> = {
  ...{ setOrganisation: 'owner', prune: 'owner', beginBackup: 'owner', noteBackup: 'owner' },
  ...{ import: 'admin', importEndorsement: 'admin', removeEntitlement: 'admin' },
  ...{ assign: 'admin', move: 'admin', revoke: 'admin', setPool: 'admin', setSharing: 'admin' },
  ...{ invite: 'admin', cancelInvitation: 'admin', setUser: 'admin', unenrol: 'admin', removeUser: 'admin' },
  ...{ createMachineToken: 'admin', revokeMachineToken: 'admin', removeMachine: 'admin' },
  ...{ revokeLease: 'admin', keepLease: 'admin', messageLease: 'admin', grantBorrow: 'admin' },
  ...{ makeJob: 'admin', setCreditAccess: 'admin', answerCredits: 'admin' },
  ...{ acceptClock: 'admin', acceptRestore: 'admin', retryMail: 'admin', testMail: 'admin' },
};

/** Who asked for what the journal says had the role that it takes, and made nobody more than that. */
export function beyondRole({ journal }: Evidence): Finding[] {
  if (journal === undefined || journal.fault !== null) return [];
  const findings: Finding[] = [];
  const roles = new Map<string, string>();
  eachAct(journal.records, ({ seq, did, by, changes }) => {
    const own = ranks.indexOf(roles.get(by ?? '') ?? 'none');
    const accuse = (text: string) => findings.push({ rule: 'ROLE', text: `record ${seq}: ${text}` });
    if (by !== undefined && own < ranks.indexOf(least[did] ?? 'none'))
      accuse(`${did} is carried out for ${by}, who is ${roles.get(by) ?? 'nobody'}`);
    for (const { type, user, email } of changes) {
      if (type === 'user.removed') roles.delete(String(email));
      if (type !== 'user.put') continue;
      const { email: whom, role } = user as { readonly email: string; readonly role: string };
      const isGiven = roles.get(whom) !== role && least[did] !== undefined;
      if (isGiven && own < ranks.indexOf(role)) accuse(`${String(by)} makes ${whom} ${role}`);
      roles.set(whom, role);
    }
  });
  return findings;
}

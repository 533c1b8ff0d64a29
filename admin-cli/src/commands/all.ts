import { type Command, defineGroup } from '../command.js';
import { auditCheckpoint } from './audit-checkpoint.js';
import { auditExport } from './audit-export.js';
import { auditList } from './audit-list.js';
import { auditPrune } from './audit-prune.js';
import { auditTail } from './audit-tail.js';
import { auditVerify } from './audit-verify.js';
import { backupCreate } from './backup-create.js';
import { backupShow } from './backup-show.js';
import { backupVerify } from './backup-verify.js';
import { borrowAcceptReturn } from './borrow-accept-return.js';
import { borrowGrant } from './borrow-grant.js';
import { borrowInstall } from './borrow-install.js';
import { borrowList } from './borrow-list.js';
import { borrowRequest } from './borrow-request.js';
import { borrowReturn } from './borrow-return.js';
import { borrowTake } from './borrow-take.js';
import { bulkApply } from './bulk-apply.js';
import { bulkList } from './bulk-list.js';
import { bulkPreview } from './bulk-preview.js';
import { bulkReport } from './bulk-report.js';
import { bulkTemplate } from './bulk-template.js';
import { clockAccept } from './clock-accept.js';
import { clockShow } from './clock-show.js';
import { completion } from './completion.js';
import { contextList } from './context-list.js';
import { contextUse } from './context-use.js';
import { creditApprove } from './credit-approve.js';
import { creditConsume } from './credit-consume.js';
import { creditDeny } from './credit-deny.js';
import { creditLimit } from './credit-limit.js';
import { creditRequest } from './credit-request.js';
import { creditRequests } from './credit-requests.js';
import { creditShow } from './credit-show.js';
import { creditUsage } from './credit-usage.js';
import { doctor } from './doctor.js';
import { entitlementImport } from './entitlement-import.js';
import { entitlementList } from './entitlement-list.js';
import { entitlementRemove } from './entitlement-remove.js';
import { entitlementRequest } from './entitlement-request.js';
import { entitlementShow } from './entitlement-show.js';
import { join } from './join.js';
import { leaseList } from './lease-list.js';
import { leaseMessage } from './lease-message.js';
import { leaseRelease } from './lease-release.js';
import { licenseAssign } from './license-assign.js';
import { licenseList } from './license-list.js';
import { licenseMove } from './license-move.js';
import { licenseRevoke } from './license-revoke.js';
import { machineList } from './machine-list.js';
import { machineRemove } from './machine-remove.js';
import { machineTokenCreate } from './machine-token-create.js';
import { machineTokenList } from './machine-token-list.js';
import { machineTokenRevoke } from './machine-token-revoke.js';
import { mailList } from './mail-list.js';
import { mailRetry } from './mail-retry.js';
import { mailShow } from './mail-show.js';
import { mailTest } from './mail-test.js';
import { me } from './me.js';
import { orgSet } from './org-set.js';
import { orgShow } from './org-show.js';
import { poolSet } from './pool-set.js';
import { poolShow } from './pool-show.js';
import { restoreAccept } from './restore-accept.js';
import { restoreShow } from './restore-show.js';
import { run } from './run.js';
import { sharing } from './sharing.js';
import { status } from './status.js';
import { subscriptionList } from './subscription-list.js';
import { subscriptionShow } from './subscription-show.js';
import { userDevices } from './user-devices.js';
import { userInvite } from './user-invite.js';
import { userList } from './user-list.js';
import { userRemove } from './user-remove.js';
import { userSet } from './user-set.js';
import { userShow } from './user-show.js';
import { userUnenrol } from './user-unenrol.js';
import { vendorEndorse } from './vendor-endorse.js';
import { vendorInspect } from './vendor-inspect.js';
import { vendorIssue } from './vendor-issue.js';
import { vendorKeygen } from './vendor-keygen.js';
import { whoami } from './whoami.js';
import { why } from './why.js';

/** Every command of `berth`, in the order of the help. */
export const commands: readonly Command[] = [
  join,
  whoami,
  me,
  status,
  why,
  run,
  defineGroup('borrow', 'Seats for offline use on this computer', [
    borrowTake,
    borrowList,
    borrowReturn,
    borrowRequest,
    borrowGrant,
    borrowInstall,
    borrowAcceptReturn,
  ]),
  defineGroup('org', 'The organisation', [orgShow, orgSet]),
  defineGroup('user', 'Members of the organisation', [
    userInvite,
    userList,
    userShow,
    userSet,
    userDevices,
    userUnenrol,
    userRemove,
  ]),
  defineGroup('machine', 'Render nodes and other machines that nobody sits at', [
    defineGroup('token', 'Links with which machines join by themselves', [
      machineTokenCreate,
      machineTokenList,
      machineTokenRevoke,
    ]),
    machineList,
    machineRemove,
  ]),
  defineGroup('license', 'Seats set aside for users', [
    licenseAssign,
    licenseMove,
    licenseRevoke,
    licenseList,
  ]),
  defineGroup('lease', 'Who holds which seat', [leaseList, leaseMessage, leaseRelease]),
  defineGroup('pool', 'How the seats of a product are handed out', [poolSet, poolShow]),
  sharing,
  defineGroup('entitlement', 'What vendors have granted to this server', [
    entitlementRequest,
    entitlementImport,
    entitlementList,
    entitlementShow,
    entitlementRemove,
  ]),
  defineGroup('subscription', 'What was bought: number, dates, licence key', [
    subscriptionList,
    subscriptionShow,
  ]),
  defineGroup('credit', 'Credits: what is left, who may spend how many', [
    creditShow,
    creditLimit,
    creditUsage,
    creditRequests,
    creditApprove,
    creditDeny,
    creditRequest,
    creditConsume,
  ]),
  defineGroup('bulk', 'Many at once, from a table', [
    bulkTemplate,
    bulkPreview,
    bulkApply,
    bulkList,
    bulkReport,
  ]),
  defineGroup('mail', 'What people are told by mail', [mailList, mailShow, mailTest, mailRetry]),
  defineGroup('audit', 'Who did what, and the proof that nothing of it was changed', [
    auditList,
    auditTail,
    auditExport,
    auditVerify,
    auditCheckpoint,
    auditPrune,
  ]),
  defineGroup('backup', 'The server in one file', [backupCreate, backupVerify, backupShow]),
  defineGroup('restore', 'What a server that was restored keeps back', [restoreShow, restoreAccept]),
  defineGroup('clock', 'The clock of the server', [clockShow, clockAccept]),
  defineGroup('context', 'The licence servers this account has joined', [contextList, contextUse]),
  doctor,
  completion,
  defineGroup('vendor', 'For software vendors: keys and entitlements, offline', [
    vendorKeygen,
    vendorIssue,
    vendorEndorse,
    vendorInspect,
  ]),
];

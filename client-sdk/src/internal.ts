// For the tests of this repository: parts that are not public and may change at any time.
export { installBorrowWith } from './airgap-install.js';
export { requestBorrowWith } from './airgap-request.js';
export { returnOfflineWith } from './airgap-return.js';
export * from './borrow-file.js';
export { BorrowShelf } from './borrow-shelf.js';
export { BorrowUses } from './borrow-use.js';
export { openAdminWith, openLeaseWith, returnBorrowsWith } from './channel.js';
export { connectWith, listBorrowsWith } from './connect.js';
export { joinWith } from './join.js';
export { bestEd25519, nativeEd25519 } from './node/ed25519.js';
export { NodeFiles, rootsOf } from './node/files.js';
export { PendingRequests } from './pending.js';
export { portableEd25519 } from './portable/ed25519.js';
export { borrowsToReturnWith } from './return-ahead.js';
export { HeldSeat, type SeatLease } from './seat.js';
export * from './seat-clock.js';
export { timing } from './timing.js';
export { TokenCheck } from './token-check.js';

import { request } from './message-row.js';
import { Count, IdempotencyKey, WallMs } from './schemas.js';
import Type, { type Static } from './typebox.js';

/** `behind`: more than 5 minutes before what the server has seen; nothing is granted. `ahead`: it jumped forward while the server ran; nothing ends by it (I5). */
const ClockState = Type.Enum(['trusted', 'behind', 'ahead']);

/** The clock of the server and how far it is trusted (I5). */
export const ClockInfo = Type.Object({
  state: ClockState,
  /** What the computer's clock says. */
  wallMs: WallMs,
  /** What borrows and entitlements end by: never ahead of what the monotonic clock allows since the start. */
  steadyWallMs: WallMs,
  /** The latest time the server has seen. */
  highWaterMs: WallMs,
  /** How far it is off, ms; 0 when trusted. */
  offMs: Count,
});
export type ClockInfo = Static<typeof ClockInfo>;

export const clockRequests = {
  'clock.show': request({
    paths: ['admin'],
    least: 'viewer',
    changes: false,
    params: Type.Object({}),
    result: Type.Object({ clock: ClockInfo, borrowsThatEnd: Count, entitlementsThatEnd: Count }),
    errors: [],
    text: 'The clock of the server, whether it is trusted, and what would end at once if it were accepted as it is.',
  }),
  'clock.accept': request({
    paths: ['admin'],
    least: 'admin',
    changes: true,
    params: Type.Object({ key: IdempotencyKey }),
    result: Type.Object({ changed: Type.Boolean(), before: ClockInfo }),
    errors: ['KEY_REUSED'],
    text: 'Trusts the clock of the server as it is now, from the next request on. Journaled with who did it. Changes nothing while the clock is trusted.',
  }),
} as const;

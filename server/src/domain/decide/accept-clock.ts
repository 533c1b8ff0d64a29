import { readClock } from '../clock.js';
import type { Command, Context, Decision } from '../commands.js';
import type { State } from '../state.js';

/**
 * An admin vouches for the wall clock (I5). Behind: the high-water mark goes back to it, and granting begins again. Ahead: the steady
 * clock is let go to it once the change is durable (`Clock.accept`), and what is over by it ends. A trusted clock needs no word.
 */
export function acceptClock(
  state: State,
  { by }: Command<'acceptClock'>,
  { now }: Context,
): Decision<'acceptClock'> {
  const before = readClock(state, now);
  const { wallMs, highWaterMs, steadyWallMs } = before;
  if (before.state === 'trusted') return { ok: true, changes: [], outcome: { changed: false, before } };
  const { email, device } = by;
  return {
    ok: true,
    changes: [{ type: 'clock.accepted', wallMs, by: email, device, highWaterMs, steadyWallMs }],
    outcome: { changed: true, before },
  };
}

import type { Engine } from './engine/engine.js';
import type { TransportEvent } from './transport/events.js';

/** Two computers that take one key from each other all day are written down this often, ms: the journal is not theirs to fill. */
const NOTED_EVERY_MS = 60_000;
/** Devices remembered for that. Beyond them the one noted first may be noted again. */
const DEVICES = 1000;

/** Writes into the journal that a session was closed because its key was used at another address (DESIGN 4: audited). */
export function noteSuperseded(
  engine: Pick<Engine, 'submit'>,
  monoMs: () => number,
): (event: Extract<TransportEvent, { type: 'superseded' }>) => void {
  const notedMs = new Map<string, number>();
  return ({ session: { deviceId: device, address: from }, by: address }) => {
    const nowMs = monoMs();
    if (nowMs - (notedMs.get(device) ?? Number.NEGATIVE_INFINITY) < NOTED_EVERY_MS) return;
    notedMs.delete(device);
    notedMs.set(device, nowMs);
    if (notedMs.size > DEVICES) notedMs.delete(notedMs.keys().next().value!);
    void engine.submit({ type: 'noteSuperseded', device, from, address });
  };
}

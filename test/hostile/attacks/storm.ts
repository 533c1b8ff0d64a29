import type { Keys } from '../../system/device-keys.js';
import { type Attack, addressOf, type Field, repeat, Tally } from '../attack.js';
import { claimsIn, codeOf, Peer } from '../peer.js';
import { asking } from '../requests.js';

/** Three plugins on each of the hundred devices; fewer where there is no time for all of them to come in and come back. */
const SESSIONS = 300;

export const reconnectStorm: Attack = {
  name: 'reconnect-storm',
  what: 'no attack: 300 sessions of 100 devices that break off and come back for their seats, again and again, as after a cut network',
  run: async (field) => {
    const tally = new Tally(field);
    const sessions = Math.ceil(SESSIONS * tally.part);
    await Promise.all(
      Array.from({ length: sessions }, (_, at) => {
        const nth = at % field.devices.length;
        return comeBack(field, tally, field.devices[nth]!, addressOf(nth));
      }),
    );
    // On a machine that is busy with other things each of them comes back once.
    tally.expect('resumed', SESSIONS / 3);
    return tally.outcome;
  },
};

async function comeBack(field: Field, tally: Tally, device: Keys, from: string): Promise<void> {
  let lease: string | undefined;
  await repeat(field.over, 0, async () => {
    const peer = await Peer.open(field, device, { from }).catch(() => null);
    if (peer === null) return tally.add('refused');
    if (lease === undefined) {
      lease = claimsIn(await peer.ask('lease.checkout', asking.checkout('crowd')))[0]?.jti;
      tally.add(lease === undefined ? 'no seat' : 'checked out');
    } else {
      const answer = await peer.ask('session.resume', asking.resume([lease]));
      const claims = claimsIn(answer)[0];
      if (claims?.jti === lease && claims.dev === device.text) tally.add('resumed');
      // Cut off at the end of it, or beyond what this device may ask.
      else tally.add(`resume: ${codeOf(answer) ?? 'another lease'}`);
    }
    peer.close();
  });
  if (lease === undefined) return;
  const peer = await Peer.open(field, device, { from }).catch(() => null);
  await peer?.ask('lease.release', asking.release([lease]));
  peer?.close();
}

import { limits } from '@berth/protocol';
import type { Keys } from '../../system/device-keys.js';
import { type Attack, addressOf, type Field, repeat, Tally } from '../attack.js';
import { claimsIn, codeOf, type Frame, Peer } from '../peer.js';
import { asking } from '../requests.js';

/** Every lease in an answer must be of the device that asked, and none of the honest. */
function look(tally: Tally, field: Field, device: Keys, answer: Frame): void {
  for (const { jti, dev } of claimsIn(answer)) {
    if (dev !== device.text) tally.stole(`a lease of ${dev}`);
    if (field.foreign.some(({ lease }) => lease === jti)) tally.stole(`the lease ${jti} of somebody else`);
  }
}

export const checkoutFlood: Attack = {
  name: 'checkout-flood',
  what: 'one device on 30 sessions that takes, is denied and gives back as fast as it is allowed to, and faster',
  run: async (field) => {
    const tally = new Tally(field);
    const device = field.devices[0]!;
    const open = async (): Promise<Peer | null> =>
      Peer.open(field, device, { from: addressOf(0) }).catch(() => null);
    const flood = async (at: number) => {
      let peer = await open();
      await repeat(field.over, 100, async () => {
        if (peer === null || peer.isClosed) {
          peer = await open();
          tally.add('sessions begun anew');
          return;
        }
        const product = at % 3 === 0 ? 'render' : 'scarce';
        const answers = await Promise.all([
          peer.ask('lease.checkout', asking.checkout(product)),
          peer.ask('lease.checkout', asking.checkout(product)),
          peer.ask('lease.checkout', asking.checkout('nothing')),
        ]);
        for (const answer of answers) {
          tally.add(codeOf(answer) ?? 'granted');
          look(tally, field, device, answer);
        }
        const taken = answers.flatMap(claimsIn).map(({ jti }) => jti);
        if (taken.length > 0) peer.post('lease.release', asking.release(taken));
      });
      peer?.close();
    };
    await Promise.all(Array.from({ length: 30 }, (_, at) => flood(at)));
    tally.expect('NO_SEAT', 10);
    tally.expect('RATE_LIMITED', 10);
    return tally.outcome;
  },
};

export const foreignLeases: Attack = {
  name: 'foreign-leases',
  what: 'the lease ids of others in renew, resume, release and return',
  run: async (field) => {
    const tally = new Tally(field);
    const device = field.devices[0]!;
    const peer = await Peer.open(field, device, { from: addressOf(0) });
    // A lease of its own, so that a renewal has something to answer.
    const own = claimsIn(await peer.ask('lease.checkout', asking.checkout('shared'))).map(({ jti }) => jti);
    const tried = (what: string, answer: Frame, expected: string | null) => {
      look(tally, field, device, answer);
      tally.add(`${what}: ${codeOf(answer) ?? 'answered'}`);
      if (codeOf(answer) !== expected) tally.problem(`${what}: ${codeOf(answer)}`);
    };
    const resuming = (what: string, answer: Frame) => {
      look(tally, field, device, answer);
      const rows = (answer.result?.leases ?? []) as { code?: string }[];
      tally.add(`${what}: ${codeOf(answer) ?? rows[0]?.code}`);
      if (rows.length !== 1 || rows[0]?.code !== 'LEASE_UNKNOWN')
        tally.problem(`${what}: ${codeOf(answer) ?? JSON.stringify(rows)}`);
    };
    const renewing = (what: string, answer: Frame) => {
      tried(what, answer, null);
      const renewed = claimsIn(answer).map(({ jti }) => jti);
      if (String(renewed) !== String(own)) tally.stole(`${what} brought ${renewed}, its own is ${own}`);
    };
    let at = 0;
    // Seven requests a turn: below what a device may.
    await repeat(field.over, 105, async () => {
      const seen = field.foreign[at++ % field.foreign.length]!;
      const { lease } = seen;
      resuming('resume', await peer.ask('session.resume', asking.resume([lease])));
      resuming('resume with its token', await peer.ask('session.resume', asking.resumeShown(seen)));
      renewing('renew', await peer.ask('lease.renew', asking.renew()));
      renewing('renew as idle', await peer.ask('lease.renew', asking.renewIdle(seen)));
      renewing('renew with its token', await peer.ask('lease.renew', asking.renewShown(seen)));
      const released = await peer.ask('lease.release', asking.release([lease]));
      if (codeOf(released) === null) tally.stole(`${lease} was released`);
      tried('release', released, 'LEASE_UNKNOWN');
      tried('return', await peer.ask('borrow.return', asking.giveBack(seen, device.text)), 'STOP_INVALID');
    });
    await peer.ask('lease.release', asking.release(own));
    peer.close();
    if (own.length !== 1) tally.problem(`it was given ${own.length} leases of its own`);
    for (const what of ['resume', 'resume with its token', 'release'])
      tally.expect(`${what}: LEASE_UNKNOWN`, 10);
    for (const what of ['renew', 'renew as idle', 'renew with its token'])
      tally.expect(`${what}: answered`, 10);
    tally.expect('return: STOP_INVALID', 10);
    return tally.outcome;
  },
};

export const adminPath: Attack = {
  name: 'admin-path',
  what: 'the lease key of a plugin on the admin path, and admin methods on the lease path',
  run: async (field) => {
    const tally = new Tally(field);
    const device = field.devices[0]!;
    const plugin = await Peer.open(field, device, { from: addressOf(0) });
    let at = 0;
    await repeat(field.over, 50, async () => {
      const admin = await Peer.connect(field, { path: 'admin', from: addressOf(at++ % 50) }).catch(
        () => null,
      );
      if (admin === null) return tally.add('refused');
      const code = codeOf(await admin.ask('session.open', admin.opening(device)));
      tally.add(`admin session: ${code}`);
      if (code !== 'DEVICE_UNKNOWN') tally.stole(`an admin session with a lease key: ${code}`);
      const before = codeOf(await admin.ask('lease.list', asking.leases()));
      if (before !== 'SESSION_REQUIRED') tally.stole(`lease.list without a session: ${before}`);
      admin.close();
      const seen = field.foreign[at % field.foreign.length]!;
      const refused = (method: string, answer: Frame) => {
        tally.add(`${method} on the lease path: ${codeOf(answer)}`);
        if (codeOf(answer) !== 'METHOD_UNKNOWN')
          tally.stole(`${method} on the lease path: ${codeOf(answer)}`);
      };
      refused('lease.revoke', await plugin.ask('lease.revoke', asking.revoke(seen)));
      refused('lease.list', await plugin.ask('lease.list', asking.leases()));
    });
    plugin.close();
    tally.expect('admin session: DEVICE_UNKNOWN', 10);
    return tally.outcome;
  },
};

export const renewalStorm: Attack = {
  name: 'renewal-storm',
  what: '4 devices that renew 64 joined leases on each of 10 sessions as fast as they are allowed to, and faster',
  run: async (field) => {
    const tally = new Tally(field);
    const storm = async (device: Keys, from: string) => {
      const peers: Peer[] = [];
      for (let nth = 0; nth < 10; nth++) {
        const peer = await Peer.open(field, device, { from }).catch(() => null);
        if (peer !== null) peers.push(peer);
      }
      const first = peers[0];
      if (first === undefined) return tally.problem('no session');
      const leases: string[] = [];
      for (let nth = 0; nth < limits.leasesPerSession; nth++) {
        const answer = await first.ask('lease.checkout', asking.checkout('shared'));
        look(tally, field, device, answer);
        leases.push(...claimsIn(answer).map(({ jti }) => jti));
      }
      tally.add('leases', leases.length);
      for (const peer of peers) await peer.ask('session.resume', asking.resume(leases));
      await repeat(field.over, 50, () => {
        for (const peer of peers) {
          if (peer.isClosed) continue;
          for (let nth = 0; nth < 10; nth++) peer.post('lease.renew', asking.renew());
          tally.add('renewals asked for', 10);
        }
      });
      await first.ask('lease.release', asking.release(leases));
      for (const peer of peers) peer.close();
    };
    await Promise.all(Array.from({ length: 4 }, (_, at) => storm(field.devices[at]!, addressOf(at))));
    tally.expect('leases', 64);
    return tally.outcome;
  },
};

export const waiters: Attack = {
  name: 'waiters',
  what: '5,000 checkouts of one device that wait, 10,000 of 100 devices, and a device that makes the line move',
  run: async (field) => {
    const tally = new Tally(field);
    const all: Peer[] = [];
    const wait = async (device: Keys, at: number, count: number) => {
      const peer = await Peer.open(field, device, {
        ...{ from: addressOf(at) },
        onFrame: (frame) => {
          if (frame.method === 'lease.queued') tally.add('told their place');
        },
      }).catch(() => null);
      if (peer === null) return;
      all.push(peer);
      let asked = 0;
      await repeat(field.over, 100, () => {
        for (let nth = 0; nth < 8 && asked < count; nth++, asked++) {
          void peer.ask('lease.checkout', asking.checkout('scarce', 3_600_000)).then((answer) => {
            tally.add(`waiting: ${codeOf(answer) ?? 'granted'}`);
            look(tally, field, device, answer);
          });
          tally.add('asked to wait');
        }
      });
    };
    const churn = async (device: Keys, at: number) => {
      const peer = await Peer.open(field, device, { from: addressOf(at) });
      await repeat(field.over, 10, async () => {
        const answer = await peer.ask('lease.checkout', asking.checkout('busy'));
        const leases = claimsIn(answer).map(({ jti }) => jti);
        tally.add(`churn: ${codeOf(answer) ?? 'granted'}`);
        if (leases.length > 0) await peer.ask('lease.release', asking.release(leases));
      });
      peer.close();
    };
    const [one, ...others] = field.devices;
    await Promise.all([
      ...Array.from({ length: 5 }, () => wait(one!, 0, 1_000)),
      ...others.slice(0, 98).map((device, at) => wait(device, at + 1, 100)),
      churn(field.devices[99]!, 99),
    ]);
    for (const peer of all) peer.close();
    tally.expect('told their place', 128);
    return tally.outcome;
  },
};

import { limits } from '@berth/protocol';
import type { Keys } from '../../system/device-keys.js';
import { newNonce } from '../../system/device-keys.js';
import { type Attack, addressOf, type Field, repeat, Tally } from '../attack.js';
import { claimsIn, codeOf, type Frame, Peer } from '../peer.js';

const wants = (product: string): object => ({
  ...{ key: newNonce(), nonce: newNonce(), wants: [{ products: [product], seats: 1 }] },
});

/** Every lease in an answer must be of the device that asked, and none of the honest. */
function look(tally: Tally, field: Field, device: Keys, answer: Frame): void {
  for (const { jti, dev } of claimsIn(answer)) {
    if (dev !== device.text) tally.stole(`a lease of ${dev}`);
    if (field.foreign.includes(jti)) tally.stole(`the lease ${jti} of somebody else`);
  }
}

export const checkoutFlood: Attack = {
  name: 'checkout-flood',
  what: 'one device on 30 sessions that takes, is denied and gives back as fast as it is allowed to, and faster',
  run: async (field) => {
    const tally = new Tally();
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
          peer.ask('lease.checkout', wants(product)),
          peer.ask('lease.checkout', wants(product)),
          peer.ask('lease.checkout', wants('nothing')),
        ]);
        for (const answer of answers) {
          tally.add(codeOf(answer) ?? 'granted');
          look(tally, field, device, answer);
        }
        const taken = answers.flatMap(claimsIn).map(({ jti }) => jti);
        if (taken.length > 0) peer.post('lease.release', { key: newNonce(), leases: taken });
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
    const tally = new Tally();
    const device = field.devices[0]!;
    const peer = await Peer.open(field, device, { from: addressOf(0) });
    let at = 0;
    // Five requests a turn: below what a device may.
    await repeat(field.over, 75, async () => {
      const lease = field.foreign[at++ % field.foreign.length]!;
      const resumed = await peer.ask('session.resume', { leases: [lease], nonce: newNonce() });
      const rows = (resumed.result?.leases ?? []) as { code?: string }[];
      look(tally, field, device, resumed);
      tally.add(`resume: ${codeOf(resumed) ?? rows[0]?.code}`);
      if (rows.some(({ code }) => code !== 'LEASE_UNKNOWN')) tally.problem(`resume: ${JSON.stringify(rows)}`);
      const renewed = await peer.ask('lease.renew', { nonce: newNonce() });
      look(tally, field, device, renewed);
      const idle = await peer.ask('lease.renew', { nonce: newNonce(), idle: [{ lease, sinceMs: 1 }] });
      look(tally, field, device, idle);
      const released = await peer.ask('lease.release', { key: newNonce(), leases: [lease] });
      tally.add(`release: ${codeOf(released)}`);
      if (codeOf(released) !== 'LEASE_UNKNOWN') tally.stole(`${lease} was released: ${codeOf(released)}`);
      const stop = `${Buffer.from('{}').toString('base64url')}.${Buffer.from(JSON.stringify({ jti: lease, dev: device.text })).toString('base64url')}.AAAA`;
      const returned = await peer.ask('borrow.return', { key: newNonce(), stops: [stop] });
      tally.add(`return: ${codeOf(returned)}`);
      if (codeOf(returned) !== 'STOP_INVALID') tally.problem(`return: ${codeOf(returned)}`);
    });
    peer.close();
    tally.expect('release: LEASE_UNKNOWN', 10);
    tally.expect('resume: LEASE_UNKNOWN', 10);
    return tally.outcome;
  },
};

export const adminPath: Attack = {
  name: 'admin-path',
  what: 'the lease key of a plugin on the admin path, and admin methods on the lease path',
  run: async (field) => {
    const tally = new Tally();
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
      const before = codeOf(await admin.ask('lease.list', {}));
      if (before !== 'SESSION_REQUIRED') tally.stole(`lease.list without a session: ${before}`);
      admin.close();
      const lease = field.foreign[at % field.foreign.length]!;
      for (const [method, params] of [
        ['lease.revoke', { key: newNonce(), lease }],
        ['lease.list', {}],
      ] as const) {
        const refused = codeOf(await plugin.ask(method, params));
        tally.add(`${method} on the lease path: ${refused}`);
        if (refused !== 'METHOD_UNKNOWN') tally.stole(`${method} on the lease path: ${refused}`);
      }
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
    const tally = new Tally();
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
        const answer = await first.ask('lease.checkout', wants('shared'));
        look(tally, field, device, answer);
        leases.push(...claimsIn(answer).map(({ jti }) => jti));
      }
      tally.add('leases', leases.length);
      for (const peer of peers) await peer.ask('session.resume', { leases, nonce: newNonce() });
      await repeat(field.over, 50, () => {
        for (const peer of peers) {
          if (peer.isClosed) continue;
          for (let nth = 0; nth < 10; nth++) peer.post('lease.renew', { nonce: newNonce() });
          tally.add('renewals asked for', 10);
        }
      });
      const releasing = { key: newNonce(), leases };
      await first.ask('lease.release', releasing);
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
    const tally = new Tally();
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
          void peer.ask('lease.checkout', { ...wants('scarce'), waitMs: 3_600_000 }).then((answer) => {
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
        const answer = await peer.ask('lease.checkout', wants('busy'));
        const leases = claimsIn(answer).map(({ jti }) => jti);
        tally.add(`churn: ${codeOf(answer) ?? 'granted'}`);
        if (leases.length > 0) await peer.ask('lease.release', { key: newNonce(), leases });
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

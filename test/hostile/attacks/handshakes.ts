import { type Attack, addressOf, type Field, type Outcome, repeat, Tally } from '../attack.js';
import { codeOf, Peer } from '../peer.js';
import { swarm, tcp, tls } from '../swarm.js';

export const stalledTls: Attack = {
  name: 'stalled-tls',
  what: '2,000 TLS handshakes of 250 addresses that stop after a few bytes of the ClientHello, or go on byte by byte',
  run: async (field) => {
    const tally = new Tally(field);
    // The first bytes of a ClientHello that says it has 512.
    const hello = Buffer.from('160301020001000001fc0303', 'hex');
    await swarm(field, tally, {
      ...{ sockets: 2_000, addresses: 250 },
      start: (_, from) => {
        const socket = tcp(field, from);
        socket.once('connect', () => {
          socket.write(hello);
          const drip = setInterval(() => socket.write(Buffer.alloc(1)), 1_000);
          socket.once('close', () => clearInterval(drip));
        });
        return socket;
      },
    });
    tally.expect('sockets begun', 2_000);
    return tally.outcome;
  },
};

export const handshakeFlood: Attack = {
  name: 'handshake-flood',
  what: 'TLS handshakes of 250 addresses, each dropped as soon as it is done, as fast as this machine can',
  run: (field) => flood(field, addressOf, 250),
};

export const handshakeNeighbour: Attack = {
  name: 'handshake-neighbour',
  what: 'the same from the one address at which the honest are',
  sharesAddress: true,
  run: (field) => flood(field, () => field.host, 1),
};

async function flood(field: Field, address: (at: number) => string, addresses: number): Promise<Outcome> {
  const tally = new Tally(field);
  await swarm(field, tally, {
    ...{ sockets: 400, addresses, address },
    start: (_, from) => {
      const socket = tls(field, from);
      return socket.once('secureConnect', () => {
        tally.add('TLS handshakes');
        socket.destroy();
      });
    },
  });
  tally.expect('TLS handshakes', 100);
  return tally.outcome;
}

export const openAndClose: Attack = {
  name: 'open-and-close',
  what: 'an enrolled device that opens sessions from its own and its neighbours’ addresses and closes them, without a pause',
  run: async (field) => {
    const tally = new Tally(field);
    const again = (at: number) =>
      repeat(field.over, 0, async () => {
        try {
          const peer = await Peer.open(field, field.devices[0]!, { from: addressOf(at) });
          tally.add('sessions');
          peer.close();
        } catch {
          tally.add('refused');
        }
      });
    await Promise.all(Array.from({ length: 32 }, (_, at) => again(at % 8)));
    tally.expect('sessions', 10);
    return tally.outcome;
  },
};

export const signatures: Attack = {
  name: 'signatures',
  what: 'sessions opened with signatures of other devices, of other connections, and replayed',
  run: async (field) => {
    const tally = new Tally(field);
    const [mine, other] = [field.devices[0]!, field.devices[1]!];
    let at = 0;
    await repeat(field.over, 20, async () => {
      const from = addressOf(at++ % 50);
      const [one, two] = await Promise.all([
        Peer.connect(field, { from }).catch(() => null),
        Peer.connect(field, { from }).catch(() => null),
      ]);
      if (one === null || two === null) return tally.add('refused');
      const genuine = one.opening(mine);
      const lies = {
        'made for another connection': one.opening(mine, two.challenge),
        'overheard on another connection': two.opening(mine),
        'of another device': { ...genuine, deviceKey: other.text },
        'with another nonce': { ...genuine, nonce: two.opening(mine).nonce! },
      };
      for (const [name, params] of Object.entries(lies)) {
        const code = codeOf(await one.ask('session.open', params));
        tally.add(`${name}: ${code}`);
        if (code === null) tally.stole(`a session with a signature ${name}`);
        else if (code !== 'SIGNATURE_INVALID') tally.problem(`a signature ${name}: ${code}`);
      }
      one.close();
      two.close();
    });
    tally.expect('of another device: SIGNATURE_INVALID', 10);
    return tally.outcome;
  },
};

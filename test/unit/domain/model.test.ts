import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WINDOW_MS, World } from './world.js';

// Commands against a model that is one number: seats taken. Every step also checks all invariants of the state (World.send), and each
// history ends with everything given back or run out: the pool must be whole again.

const devices = ['a', 'b', 'c'] as const;
const actor = fc.constantFrom(...devices);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('checkout' as const),
      who: actor,
      seats: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), who: actor, pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('renew' as const), who: actor }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('borrow' as const),
      who: actor,
      seconds: fc.integer({ min: 1, max: 7200 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('return' as const), who: actor, pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('assign' as const),
      who: actor,
      seats: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), who: actor }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('resize' as const), seats: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 200_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('settings' as const),
      lingerSeconds: fc.constantFrom(null, 1, 100),
      idleSeconds: fc.constantFrom(null, 1, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('sharing' as const),
      on: fc.boolean(),
      running: fc.constantFrom('drain' as const, 'cut' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('idle' as const),
      who: actor,
      seconds: fc.integer({ min: 0, max: 200 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class History {
  readonly world = new World();
  readonly ids = new Map<string, string>();
  revision = 1;

  constructor(share: 'process' | 'device') {
    this.world.import({ seats: 4, share, borrow: { maxSeconds: 86_400, seats: 2 } });
    for (const name of devices) this.ids.set(name, this.world.user(name));
  }

  leases(kind: 'online' | 'borrow', device?: string): string[] {
    const all = [...this.world.state.tables.lease.values()];
    return all
      .filter((row) => row.claims.kind === kind && (device === undefined || row.device === device))
      .map((row) => row.claims.jti);
  }

  run(step: Step): void {
    const { world } = this;
    const usage = world.usage();
    const before = { ...usage, lingering: world.state.derived.lingerByLease.size };
    const device = 'who' in step ? this.ids.get(step.who)! : '';
    switch (step.do) {
      case 'checkout': {
        const decision = world.send(world.checkingOut(device, step.seats));
        const grown = world.usage().used - before.used;
        if (!decision.ok || decision.outcome.joined) expect(grown).toBe(0);
        // Who wants another number of seats gives up what lingered for them.
        else if (before.lingering > 0) expect(grown).toBeLessThanOrEqual(step.seats);
        else expect(grown).toBe(step.seats);
        // I1: nothing is granted beyond what is owned, nor while there is an excess.
        if (grown > 0) expect(world.usage().used).toBeLessThanOrEqual(world.usage().owned);
        return;
      }
      case 'borrow':
        world.send(world.borrowing(device, step.seconds));
        if (world.usage().used > before.used)
          expect(world.usage().used).toBeLessThanOrEqual(world.usage().owned);
        return;
      case 'release': {
        const mine = this.leases('online', device);
        const lease = mine[step.pick % Math.max(mine.length, 1)];
        if (lease !== undefined) world.release(device, [lease], [lease]);
        expect(world.usage().used).toBeLessThanOrEqual(before.used);
        return;
      }
      case 'return': {
        const mine = this.leases('borrow', device);
        const lease = mine[step.pick % Math.max(mine.length, 1)];
        if (lease !== undefined) world.ok({ type: 'return', ...world.by(device), leases: [lease] });
        return;
      }
      case 'renew':
        world.renew(device, this.leases('online', device));
        expect(world.usage()).toEqual(usage);
        return;
      case 'idle': {
        const mine = this.leases('online', device);
        const idle = mine.map((lease) => ({ lease, seconds: step.seconds }));
        world.ok({ type: 'renew', by: world.by(device).by, leases: mine, nonce: 'm'.repeat(22), idle });
        // Taken back is not free: the seat is held (I1), and never a borrowed one (I8).
        expect(world.usage()).toMatchObject({ used: before.used, borrowed: before.borrowed });
        return;
      }
      case 'sharing': {
        const { on, running } = step;
        world.ok({ type: 'setSharing', ...world.admin(), on, product: null, running });
        expect(world.usage().borrowed).toBe(before.borrowed);
        return;
      }
      case 'settings': {
        const { lingerSeconds, idleSeconds } = step;
        const settings = { lingerSeconds, idleSeconds };
        world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings });
        return;
      }
      case 'assign':
      case 'revoke':
        this.allocate(step, `${step.who}@studio.example`);
        return;
      case 'force': {
        const all = this.leases('online');
        const lease = all[step.pick % Math.max(all.length, 1)];
        if (lease !== undefined) world.ok({ type: 'revokeLease', ...world.admin(), lease, reason: '' });
        expect(world.usage().used).toBe(before.used);
        return;
      }
      case 'resize':
        this.revision += 1;
        world.send(
          world.importing({
            rev: this.revision,
            seats: step.seats,
            share: this.share,
            borrow: { maxSeconds: 86_400, seats: 2 },
          }),
        );
        expect(world.usage().borrowed).toBe(before.borrowed);
        return;
      case 'pass':
        world.pass(step.ms);
        return;
      case 'restart':
        world.restart();
        expect(world.usage()).toEqual(usage);
        return;
    }
  }

  get share(): 'process' | 'device' {
    return this.world.state.tables.product.get('render')!.share as 'process' | 'device';
  }

  allocate(step: { do: 'assign' | 'revoke'; seats?: number }, email: string): void {
    const { world } = this;
    const before = world.usage();
    // Those may end with the allocation they are charged to.
    const lingering = [...world.state.tables.seat.values()].reduce(
      (sum, { linger, count }) => sum + (linger === undefined ? 0 : count),
      0,
    );
    const asked = { ...world.admin(), email, product: 'render', endMs: null };
    if (step.do === 'assign') world.send({ type: 'assign', ...asked, quantity: step.seats ?? 1 });
    else world.send({ type: 'revoke', ...asked, quantity: 'all' });
    // Neither takes a seat out of anybody's hands at once, and a borrow never (I8).
    expect(world.usage().borrowed).toBe(before.borrowed);
    expect(world.usage().used).toBeLessThanOrEqual(before.used);
    expect(world.usage().used + lingering).toBeGreaterThanOrEqual(before.used);
  }
}

for (const share of ['process', 'device'] as const) {
  test(`no history of commands over-issues or strands a seat (share ${share})`, { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const history = new History(share);
        for (const one of steps) history.run(one);
        history.world.pass(WINDOW_MS + 86_400_000 + 3_600_000);
        const { used, owned, free } = history.world.usage();
        expect({ used, free }).toEqual({ used: 0, free: owned });
      }),
      { numRuns: 300 },
    );
  });
}

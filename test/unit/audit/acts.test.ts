import { type Entry, entriesOf } from '@berth/server/audit/entry';
import { Engine } from '@berth/server/engine/engine';
import type { JournalWriter } from '@berth/server/engine/journal-writer';
import { type Position, START } from '@berth/server/store/position';
import { describe, expect, test } from 'vitest';
import { World } from '../domain/world.js';

/** A journal that keeps what it is given. */
class KeptJournal implements JournalWriter {
  position: Position = START;
  readonly payloads: Uint8Array[] = [];

  async append(payload: Uint8Array): Promise<Position> {
    this.payloads.push(payload);
    this.position = { seq: this.position.seq + 1, hash: 'ab'.repeat(32) };
    return this.position;
  }

  get entries(): Entry[] {
    return this.payloads.flatMap((payload, at) => entriesOf(at + 1, payload));
  }
}

function engineOver(world: World, journal: JournalWriter): Engine {
  return new Engine({
    state: world.state,
    journal,
    clock: { now: () => world.now },
    newId: world.context.newId,
    leaseSeconds: world.leaseSeconds,
    diskLow: () => false,
    onCommitted: () => {},
    onFatal: (error) => {
      throw error;
    },
  });
}

describe('the journal says who did it', () => {
  test('several in one record: each has its own changes, in order', async () => {
    const world = new World();
    world.import({ seats: 9 });
    const [a, b] = [world.user('a'), world.user('b')];
    const journal = new KeptJournal();
    const engine = engineOver(world, journal);
    const asking = (who: typeof a, from: string) => {
      const command = world.checkingOut(who);
      return engine.submit({ ...command, by: { ...command.by, from } });
    };
    await Promise.all([asking(a, '10.0.0.1'), asking(b, '10.0.0.2')]);
    expect(journal.payloads).toHaveLength(1);
    const said = journal.entries.map(({ by, device, from, did, atMs }) => ({ by, device, from, did, atMs }));
    const actor = (who: typeof a, from: string) => {
      const { email, device } = world.by(who).by;
      return { by: email, device, from, did: 'checkout', atMs: world.now.wallMs };
    };
    expect(said).toEqual([actor(a, '10.0.0.1'), actor(b, '10.0.0.2')]);
    for (const { by, changes } of journal.entries) {
      expect(changes.map(({ kind }) => kind)).toEqual(['seat.taken', 'lease.granted']);
      expect(changes.map(({ facts }) => facts.user)).toEqual([by, by]);
    }
  });

  test('an end that names only a lease still says whose it was; what nobody asked for is of nobody', async () => {
    const world = new World();
    world.import({ seats: 9 });
    const a = world.user('a');
    const journal = new KeptJournal();
    const engine = engineOver(world, journal);
    const settled = await engine.submit(world.checkingOut(a));
    expect(settled.ok).toBe(true);
    const { monoMs, wallMs, steadyWallMs } = world.now;
    const later = 3_600_000;
    world.now = { monoMs: monoMs + later, wallMs: wallMs + later, steadyWallMs: steadyWallMs + later };
    engine.tick();
    await engine.read(() => null);
    const { by, did, changes } = journal.entries.at(-1)!;
    expect([by, did]).toEqual([null, 'expire']);
    expect(changes[0]).toMatchObject({
      kind: 'lease.ended',
      facts: { user: world.by(a).by.email, reason: 'expired' },
    });
    expect(changes[0]!.facts.product).toBe(journal.entries[0]!.changes[0]!.facts.product);
  });

  test('a record of a server that kept nobody is shown as it is', () => {
    const payload = Buffer.from(
      '{"v":1,"changes":[{"type":"user.removed","email":"x@studio.example"},{"type":"clock.seen","wallMs":1}]}',
    );
    expect(entriesOf(7, payload)).toEqual([
      {
        ...{ seq: 7, place: 0, atMs: null, did: null, by: null, device: null, from: null },
        changes: [{ kind: 'user.removed', facts: { user: 'x@studio.example' }, was: {} }],
      },
    ]);
  });
});

import { noteSuperseded } from '@berth/server/superseded';
import { expect, test } from 'vitest';
import { World } from './domain/world.js';

const session = (deviceId: string) =>
  ({ session: 's', path: 'lease', deviceId, email: 'x', address: '10.0.0.1' }) as const;

test('a key that two computers take from each other is written down once a minute, not as often as they like', () => {
  const noted: unknown[] = [];
  let nowMs = 0;
  const note = noteSuperseded(
    { submit: async (command: unknown) => noted.push(command) } as never,
    () => nowMs,
  );
  for (const by of ['10.0.0.2', '10.0.0.1', '10.0.0.2'])
    note({ type: 'superseded', session: session('d1'), by });
  note({ type: 'superseded', session: session('d2'), by: '10.0.0.3' });
  nowMs = 60_000;
  note({ type: 'superseded', session: session('d1'), by: '10.0.0.2' });
  expect(noted).toMatchObject([
    { type: 'noteSuperseded', device: 'd1', from: '10.0.0.1', address: '10.0.0.2' },
    { device: 'd2', address: '10.0.0.3' },
    { device: 'd1' },
  ]);
});

test('the journal says whose key it was, and of a device that is gone nothing', () => {
  const world = new World();
  const device = world.user('anna');
  const note = { type: 'noteSuperseded', device, from: '10.0.0.1', address: '10.0.0.2' } as const;
  expect(world.send(note)).toMatchObject({
    changes: [
      { type: 'session.superseded', device, email: 'anna@studio.example', from: '10.0.0.1', by: '10.0.0.2' },
    ],
  });
  expect(world.send({ ...note, device: 'gone' })).toMatchObject({ ok: true, changes: [] });
});

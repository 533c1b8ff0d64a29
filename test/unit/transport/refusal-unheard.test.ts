import { checkoutHandlers } from '@berth/server/admin/checkout-handlers';
import type { HandlerDeps } from '@berth/server/admin/deps';
import { createMetrics } from '@berth/server/ops/metrics';
import type { Answer, Handlers } from '@berth/server/transport/api';
import { expect, test } from 'vitest';
import { World } from '../domain/world.js';
import { engineOver, HeldJournal } from '../engine/held-journal.js';
import { type Rig, startRig } from './rig.js';
import { newNonce, TestClient } from './test-client.js';

// A refusal is answered when what it rests on is durable. Nobody hears it whose socket closed meanwhile, and it is no denial: the client comes again.

/** How many denials are counted of a checkout that is refused for a seat whose own commit is under way. @param meanwhile before that is durable */
async function denials(meanwhile: (client: TestClient, rig: Rig) => Promise<unknown>): Promise<number> {
  const world = new World();
  world.import({ seats: 1 });
  const [holder, device] = [world.user('a'), world.user('b')];
  const journal = new HeldJournal();
  const metrics = createMetrics(() => []);
  const { engine } = engineOver(world, journal);
  const { 'lease.checkout': checkout } = checkoutHandlers({ engine, metrics } as unknown as HandlerDeps);
  const asked: Promise<Answer<'lease.checkout'>>[] = [];
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const handler: Handlers['lease.checkout'] = (params, caller, flight) => {
    const answer = checkout(params, caller, flight);
    asked.push(answer);
    arrive();
    return answer;
  };
  const rig = await startRig({ handlers: { 'lease.checkout': handler } });
  const client = await TestClient.open(rig, rig.enrolled('lease', 'user', device));
  const granted = engine.submit(world.checkingOut(holder));
  const wants = [{ products: ['render'], seats: 1 }];
  client.post('lease.checkout', { key: newNonce(), wants, nonce: newNonce() });
  await arrived;
  await meanwhile(client, rig);
  await journal.finish();
  expect(await granted).toMatchObject({ ok: true });
  expect(await asked[0]).toMatchObject({ ok: false, code: 'NO_SEAT' });
  const { body } = await metrics.render();
  return Number(/^berth_checkouts_total\{.*outcome="denied"\} (\d+)$/m.exec(body)?.[1] ?? 0);
}

test('a refusal that somebody hears is counted', async () => {
  expect(await denials(async () => {})).toBe(1);
});

test('one whose socket closed before it was durable is not', async () => {
  const hangUp = (client: TestClient, { events }: Rig) => {
    client.socket.terminate();
    return events.first('sessionClosed');
  };
  expect(await denials(hangUp)).toBe(0);
});

import { BerthError } from '@berth/client';
import { expect, test } from 'vitest';
import { World } from './world.js';

const receipt = { id: 'c-1', credits: 5, left: 2 };

test('an answer that is lost is asked for again with the same key; the next call has a key of its own', async () => {
  const world = new World();
  const client = await world.connect();
  let lost = 1;
  world.server.scripts['credit.consume'] = () => (lost-- > 0 ? { lost: receipt } : receipt);
  const keys = () => world.server.of('credit.consume').map(({ params }) => params.key);
  expect(await world.run(client.credits.consume(5))).toEqual(receipt);
  expect(keys()).toHaveLength(2);
  expect(keys()[1]).toBe(keys()[0]);
  await world.run(client.credits.consume(5));
  expect(keys()[2]).not.toBe(keys()[0]);
  await world.run(client.close());
});

test('where nobody knows what became of it, the error has the key to ask again with', async () => {
  const world = new World();
  const client = await world.connect();
  const keys: string[] = [];
  world.server.scripts['credit.consume'] = ({ key }) => {
    keys.push(key);
    return null;
  };
  const error = await world.run(client.credits.consume(5)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BerthError);
  expect((error as BerthError).detail.key).toBe(keys[0]);
  world.server.scripts['credit.consume'] = () => ({ error: 'CREDIT_LOW', data: { left: 1 } });
  const refused = await world.run(client.credits.consume(5)).catch((thrown: unknown) => thrown);
  expect(refused).toMatchObject({ code: 'CREDIT_LOW', detail: { left: 1 } });
  expect((refused as BerthError).detail).not.toHaveProperty('key');
  await world.run(client.close());
});

// The tests of a plugin, with any runner (this is Node's own): `node --test examples/dist/testing/frame-loop.test.js`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BerthError, connect } from '@berth/client';
import { FakeServer } from '@berth/client/testing';
import { FrameLoop } from './frame-loop.js';

async function rendering() {
  const server = new FakeServer({ products: { render: 1 } });
  const client = await connect(server.options('render'));
  const seat = await client.checkout();
  return { server, client, seat, loop: new FrameLoop(seat) };
}

test('goes on while the server is away for a moment', async () => {
  const { server, loop } = await rendering();
  await server.drop(80_000);
  await server.advance(90_000);
  assert.equal(loop.tick(), true);
  assert.equal(loop.status.length, 2);
  assert.match(loop.status.at(-1) ?? '', /all is well again/);
});

test('stops when the seat is lost, and has said so', async () => {
  const { server, loop, seat } = await rendering();
  await server.expire();
  assert.equal(loop.tick(), false);
  assert.equal(loop.frames, 0);
  assert.match(loop.status.at(-1) ?? '', /^Stopped:/);
  await seat.release();
});

test('stops when an administrator takes the seat', async () => {
  const { server, loop, seat } = await rendering();
  await server.revoke('Maintenance until noon');
  assert.equal(loop.tick(), false);
  assert.deepEqual(loop.status, ['Stopped: Maintenance until noon']);
  assert.equal(seat.lost?.by, 'admin@fake.example');
});

test('a refusal says who has the seats', async () => {
  const server = new FakeServer({ products: { render: 1 } });
  const client = await connect(server.options('render'));
  server.occupy(1);
  await assert.rejects(client.checkout(), (error) => {
    assert.ok(error instanceof BerthError);
    assert.equal(error.code, 'NO_SEAT');
    assert.deepEqual(
      error.holders.map(({ user }) => user),
      ['somebody@fake.example'],
    );
    return true;
  });
});

test('any refusal there is can be tried', async () => {
  const server = new FakeServer();
  const client = await connect(server.options());
  const allow = server.deny('DISK_LOW');
  await assert.rejects(client.checkout(), { code: 'DISK_LOW' });
  allow();
  assert.equal((await client.checkout()).state, 'held');
});

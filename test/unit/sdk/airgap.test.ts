import { installBorrowWith, requestBorrowWith, returnBorrowsWith } from '@berth/client/internal';
import { formatOfflineFile, formatPublicKey } from '@berth/protocol';
import { expect, test } from 'vitest';
import { deviceSeed, World } from './world.js';

const seconds = 3_600;

/** What an admin brings back for the request with this nonce. */
function grantOf({ server, host }: World, nonce: string): string {
  const dev = formatPublicKey(host.signingKey(deviceSeed).publicKey);
  const params = { key: 'k', product: 'render', seats: 1, seconds, wallMs: server.time.wallMs(), nonce };
  const { leases, entitlements, freeAtMs, earlyReturn } = server.lend(params, { dev });
  return formatOfflineFile({
    berth: 'borrow-grant',
    version: 1,
    nonce,
    server: { id: 'srv-1', key: server.keyText },
    organisation: { name: 'Studio' },
    user: { email: 'anna@example.com' },
    device: { id: 'dev-1', name: 'workstation' },
    ...{ leases, entitlements, freeAtMs, earlyReturn },
  });
}

async function asked() {
  const world = new World();
  const { nonce } = await requestBorrowWith(world.host, { product: 'render', seconds });
  const file = grantOf(world, nonce);
  const install = () =>
    installBorrowWith(world.host, { file, vendorKeys: [world.server.vendorText] }).then(
      ({ state }) => state,
      (error: { code: string }) => error.code,
    );
  return { world, install };
}

const under = (world: World, folder: string) => world.files.under(`state/studio/${folder}`);

test('a crash in the middle of an installation costs nothing: it is installed again', async () => {
  const { world, install } = await asked();
  crashBeforeTheRequestGoes(world);
  expect(await install()).toBe('crash');
  expect([under(world, 'requests').length, under(world, 'borrows').length]).toEqual([1, 1]);
  expect(await install()).toBe('valid');
  expect(under(world, 'requests')).toEqual([]);
});

test('a grant whose installation crashed is not installed again once its borrow was returned', async () => {
  const { world, install } = await asked();
  crashBeforeTheRequestGoes(world);
  expect(await install()).toBe('crash');
  const returned = await world.run(returnBorrowsWith(world.host, {}));
  expect(returned).toHaveLength(1);
  expect(under(world, 'borrows')).toEqual([]);
  expect(await install()).toBe('GRANT_FOREIGN');
  expect([under(world, 'requests'), under(world, 'borrows')]).toEqual([[], []]);
});

/** Once: the borrow is on disk, its request is not removed. */
function crashBeforeTheRequestGoes({ files }: World): void {
  const remove = files.remove.bind(files);
  files.remove = async (path) => {
    files.remove = remove;
    if (path.includes('/requests/')) throw Object.assign(new Error('power cut'), { code: 'crash' });
    await remove(path);
  };
}

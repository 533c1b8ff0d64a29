import { settingsOf } from '@berth/server/domain/pool-settings';
import { describe, expect, test } from 'vitest';
import { World } from './world.js';

const off = { idleSeconds: null, lingerSeconds: null };

function settings(world: World) {
  return settingsOf(world.state.tables.product.get('render')!);
}

function set(world: World, wanted: object) {
  return world.ok({ type: 'setPool', ...world.admin(), product: 'render', settings: wanted });
}

describe('settings of a pool', () => {
  test('everything is off until it is set; what is left out stays', () => {
    const world = new World();
    world.import();
    expect(settings(world)).toMatchObject(off);
    expect(set(world, { idleSeconds: 600 })).toMatchObject({ changed: true });
    expect(set(world, { lingerSeconds: 60 })).toMatchObject({ changed: true });
    expect(settings(world)).toMatchObject({ idleSeconds: 600, lingerSeconds: 60 });
    set(world, { idleSeconds: null });
    expect(settings(world)).toMatchObject({ idleSeconds: null, lingerSeconds: 60 });
  });

  test('setting what is so already changes nothing', () => {
    const world = new World();
    world.import();
    expect(set(world, off)).toMatchObject({ changed: false, settings: off });
    expect(world.state.tables.product.get('render')).not.toHaveProperty('settings');
  });

  test('survive a further entitlement, a new revision and a restart', () => {
    const world = new World();
    world.import();
    set(world, { idleSeconds: 600, lingerSeconds: 60 });
    world.import({ rev: 2, seats: 5 });
    world.import({ jti: 'ent-2', replaces: 'ent-1', seats: 5 });
    world.restart();
    expect(settings(world)).toMatchObject({ idleSeconds: 600, lingerSeconds: 60 });
  });

  test('two admins: what the second saw and changes is no longer so; what another one changes beside it is no matter', () => {
    const world = new World();
    world.import();
    const was = settings(world);
    set(world, { idleSeconds: 600 });
    const late = { type: 'setPool', ...world.admin(), product: 'render', was } as const;
    expect(world.refused({ ...late, settings: { idleSeconds: 900 } }, 'CHANGED_MEANWHILE')).toMatchObject({
      detail: { product: 'render', now: { idleSeconds: 600 }, changed: { by: 'owner@studio.example' } },
    });
    expect(world.ok({ ...late, ...world.admin(), settings: { lingerSeconds: 60 } })).toMatchObject({
      changed: true,
    });
    expect(settings(world)).toMatchObject({ idleSeconds: 600, lingerSeconds: 60 });
  });

  test('a product nobody brought has none', () => {
    const world = new World();
    const unknown = { type: 'setPool', ...world.admin(), product: 'sim', settings: {} } as const;
    world.refused(unknown, 'PRODUCT_UNKNOWN');
  });
});

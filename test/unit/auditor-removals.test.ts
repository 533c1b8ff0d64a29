import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

const removing = (isPending: boolean): Change => ({
  ...{ type: 'entitlement.removing', id: 'e1' },
  removing: isPending ? { by: 'admin', sinceMs: 0 } : null,
});
const restored = (more: object = {}): Change => ({ type: 'organisation.restored', epoch: 'next', ...more });

/** A removal is asked for at 100 ms; a server is made of a backup at 200 ms and says at 300 ms that it owns nothing. */
function told(journal: readonly Change[], tell: (world: World) => void): boolean {
  const world = new World();
  const entitlements = [world.import(20, 'e1', 2)];
  world.journal({ type: 'organisation.founded', organisation: { epoch: 'epoch', highWaterMs: 0 } });
  for (const change of journal) world.journal(change);
  ask(world, 100, 'first');
  tell(world);
  world.write(200, 'nobody', { event: 'restored', entitlements });
  world.status(300, { owned: 0, shared: 0, free: 0 });
  return audit(world.case()).findings.some(({ rule }) => rule === 'STATUS');
}

function ask(world: World, t: number, key: string): void {
  const method = 'entitlement.remove';
  world.write(t, 'admin', { event: 'request', method, key, office: { key, id: 'e1' } });
  world.write(t, 'admin', { event: 'removing', id: 'e1' });
}

function answered(world: World): void {
  world.write(105, 'admin', { event: 'result', method: 'entitlement.remove', key: 'first', text: '{}' });
}

describe('a restored server may have a removal that was asked for before', () => {
  const kept = (world: World): void => world.write(110, 'admin', { event: 'kept', id: 'e1' });

  test.each<[string, Change[], boolean]>([
    ['which was pending in the backup', [removing(true), restored()], false],
    ['which was taken back in the backup is found', [removing(true), removing(false), restored()], true],
    ['which is not in the backup is found', [restored()], true],
    ['which came after the restore', [restored(), removing(true)], true],
    [
      'which was pending in the backup, before it was rolled back',
      [removing(true), restored(), removing(false), restored({ restore: { cause: 'rolledBack' } })],
      false,
    ],
    ['of which no journal knows', [], false],
  ])('%s', (_, journal, isFound) => expect(told(journal, kept)).toBe(isFound));

  test('which nobody has heard the end of, since it may be asked for once more', () => {
    expect(told([restored()], () => {})).toBe(false);
    expect(told([restored()], answered)).toBe(true);
  });

  test('which is asked for once more with its key: it does not know that it was answered', () => {
    const again = (world: World): void => {
      answered(world);
      ask(world, 250, 'first');
    };
    expect(told([restored()], again)).toBe(false);
  });
});

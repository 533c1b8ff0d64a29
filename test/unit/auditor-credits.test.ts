import { describe, expect, test } from 'vitest';
import { audit } from '../auditor/auditor.js';
import type { Change } from '../auditor/journal-entry.js';
import { World } from './auditor-world.js';

/** The rules that a history breaks, each once. */
function broken(world: World): string[] {
  return [...new Set(audit(world.case()).findings.map(({ rule }) => rule))].sort();
}

function access(grant: object): Change {
  return { type: 'credit.access', email: 'plugin@x', grant };
}

interface Told {
  readonly key?: string;
  readonly credits?: number;
  /** What the client was told, where it is not what the journal has. */
  readonly told?: { readonly id?: string; readonly credits?: number } | null;
  /** What the journal has, where it is not what was asked. */
  readonly spend?: object;
  /** The journal has nothing of it, or not the request. */
  readonly without?: 'spend' | 'request';
}

/** One request to spend, as it should be unless it is told to lie. */
function consume(world: World, id: string, lie: Told = {}): void {
  const { key = `key-${id}`, credits = 5, told = {}, without } = lie;
  const spend = {
    ...{ id, email: 'plugin@x', device: 'plugin', product: 'render', credits, day: '2026-11-22' },
    ...{ charges: [{ entitlement: 'e2', credits }], ...lie.spend },
  };
  const request = { id: `plugin ${key}`, method: 'consumeCredits', outcome: { id, credits }, leases: [] };
  if (without !== 'spend')
    world.journal(
      { type: 'credit.spent', spend },
      ...(without === 'request' ? [] : [{ type: 'request.kept', request }]),
    );
  world.write(100, 'plugin', { event: 'request', method: 'credit.consume', key, credits });
  if (told === null) return;
  const text = JSON.stringify({ id, credits, left: 0, ...told });
  world.write(110, 'plugin', { event: 'result', method: 'credit.consume', key, text });
}

/** Ten credits, and somebody who may spend them. */
function studio(grant: object = { access: 'unlimited' }): World {
  const world = new World();
  world.import(0, 'e2', 1, { credits: 10 });
  world.device('plugin');
  world.journal(access(grant));
  return world;
}

describe('credits', () => {
  test('what is spent as it should be is no finding, a lost answer and a retry included', () => {
    const world = studio({ access: 'limited', limit: 10, per: 'day' });
    consume(world, 'c1');
    consume(world, 'c2', { told: null });
    world.write(200, 'plugin', { event: 'request', method: 'credit.consume', key: 'key-c2', credits: 5 });
    expect(broken(world)).toEqual([]);
  });

  test('a receipt for another sum than was asked for with that key', () => {
    const world = studio({ access: 'limited', limit: 10, per: 'day' });
    consume(world, 'c1');
    const text = JSON.stringify({ id: 'c1', credits: 5, left: 5 });
    const said = { event: 'result', method: 'credit.consume', key: 'key-c1', text } as const;
    world.write(300, 'plugin', { ...said, credits: 5 });
    const told = () => audit(world.case()).findings.filter(({ text: is }) => is.includes('the receipt says'));
    expect(told()).toEqual([]);
    world.write(400, 'plugin', { ...said, credits: 6 });
    expect(told()).toHaveLength(1);
  });

  test('more than was bought', () => {
    const world = studio();
    for (const id of ['c1', 'c2', 'c3']) consume(world, id);
    expect(audit({ ...world.case(), journal: { records: [], fault: null } }).findings).toContainEqual({
      rule: 'CREDIT',
      text: '15 credits were spent, 10 were ever bought',
    });
    expect(broken(world)).toEqual(['CREDIT']);
  });

  test.each<[string, string, Told]>([
    ['a spend that was acknowledged and is not there', 'I6', { without: 'spend' }],
    ['another number than was told', 'CREDIT', { told: { credits: 4 } }],
    ['the receipt of nobody', 'I6', { told: { id: 'other' } }],
    ['a spend without its request', 'CREDIT', { without: 'request' }],
    [
      'another number than was asked for',
      'CREDIT',
      { spend: { credits: 6, charges: [{ entitlement: 'e2', credits: 6 }] } },
    ],
    ['charges that do not add up', 'CREDIT', { spend: { charges: [{ entitlement: 'e2', credits: 4 }] } }],
    [
      'a charge to what has no credits',
      'CREDIT',
      { spend: { charges: [{ entitlement: 'e1', credits: 5 }] } },
    ],
    ['a charge to what is unknown', 'CREDIT', { spend: { charges: [{ entitlement: 'none', credits: 5 }] } }],
    ['the device of another', 'CREDIT', { spend: { device: 'other' } }],
  ])('%s is found', (_, rule, lie) => {
    const world = studio();
    consume(world, 'c1', lie);
    expect(broken(world)).toContain(rule);
  });

  test('the same request served twice is found, told or not', () => {
    const world = studio();
    consume(world, 'c1', { key: 'k' });
    consume(world, 'c2', { key: 'k', told: null });
    const texts = audit(world.case()).findings.map(({ text }) => text);
    expect(texts.join('\n')).toContain('once more for key k');
    consume(world, 'c3', { key: 'k2', told: { id: 'c1' } });
    expect(audit(world.case()).findings.map(({ text }) => text)).toContain(
      'two requests were told of receipt c1',
    );
  });

  test.each<[string, object]>([
    ['who may spend none', { access: 'disabled' }],
    ['who may spend fewer', { access: 'limited', limit: 4, per: 'total' }],
  ])('a spend of somebody %s is found', (_, grant) => {
    const world = studio(grant);
    consume(world, 'c1');
    expect(broken(world)).toEqual(['CREDIT']);
  });

  test('a limit counts its period, and no other', () => {
    const world = studio({ access: 'limited', limit: 5, per: 'day' });
    consume(world, 'c1');
    consume(world, 'c2', { spend: { day: '2026-11-23' } });
    expect(broken(world)).toEqual([]);
    const monthly = studio({ access: 'limited', limit: 5, per: 'month' });
    consume(monthly, 'c1');
    consume(monthly, 'c2', { spend: { day: '2026-11-23' } });
    expect(broken(monthly)).toEqual(['CREDIT']);
  });

  test('what ended, is personal, or is of another vendor gives none to others', () => {
    const ended = studio();
    ended.journal({ type: 'entitlement.state', id: 'e2', state: 'expired' });
    consume(ended, 'c1');
    expect(broken(ended)).toEqual(['CREDIT']);
    const personal = studio();
    personal.import(0, 'e2', 1, { credits: 10, rev: 2, holder: 'other@x' });
    consume(personal, 'c1');
    expect(broken(personal)).toEqual(['CREDIT']);
    const foreign = studio();
    foreign.put({ product: 'sim', vendor: 'ed25519:other' });
    consume(foreign, 'c1', { spend: { product: 'sim' } });
    expect(broken(foreign)).toEqual(['CREDIT']);
  });

  test('a heir has spent what was spent of what it replaces, all of it', () => {
    const world = studio();
    consume(world, 'c1');
    world.import(0, 'e3', 1, { credits: 8, replaces: 'e2' });
    world.journal({ type: 'credit.moved', from: 'e2', to: 'e3', credits: 5 });
    consume(world, 'c2', { credits: 3, spend: { charges: [{ entitlement: 'e3', credits: 3 }] } });
    expect(broken(world)).toEqual([]);
    consume(world, 'c3', { credits: 1, spend: { charges: [{ entitlement: 'e3', credits: 1 }] } });
    expect(broken(world)).toEqual(['CREDIT']);
    world.journal({ type: 'credit.moved', from: 'e3', to: 'e2', credits: 2 });
    expect(broken(world)).toEqual(['CREDIT']);
  });
});

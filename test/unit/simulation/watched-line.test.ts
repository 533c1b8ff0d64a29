import type { Command } from '@berth/server/domain/commands';
import type { Wait } from '@berth/server/engine/engine';
import { expect, test } from 'vitest';
import { WatchedLine } from '../../simulation/watched-line.js';

type Want = Command<'checkout'>['wants'][number];

const ONE: Want = { products: ['render'], seats: 1 };

/** A line in which somebody waits, and what is said about it. */
function line(wants: readonly Want[] = [ONE]) {
  const said: string[] = [];
  const told: number[] = [];
  const watched = new WatchedLine((text) => said.push(text));
  const by = { email: 'a@x', device: 'a' };
  const request = { device: 'a', key: 'k', hash: 'h' };
  const command: Command<'checkout'> = { type: 'checkout', by, request, wants, nonce: 'n', places: 9 };
  const wait: Wait = {
    waitMs: 1,
    signal: new AbortController().signal,
    onPlace: ({ position }) => told.push(position),
  };
  const stand = (nonce: string) => {
    const own = watched.stands('a k', { ...command, nonce }, { ...wait });
    return {
      left: () => watched.left('a k', own),
      at: (position: number) => own.onPlace({ position, estimateMs: null, nextFreeAtMs: null }),
    };
  };
  const look = (count: number, hasSeat: (asked: Command<'checkout'>) => boolean): void => {
    for (let at = 0; at < count; at++) watched.look(hasSeat);
  };
  return {
    ...{ said, told, look, stand },
    ...stand('n'),
    ticks: (count: number, isFree: boolean) => look(count, () => isFree),
  };
}

test('who stands first in line while a seat is free is told of, once', () => {
  const { said, told, at, ticks } = line();
  at(1);
  ticks(4, true);
  expect(said).toEqual([]);
  ticks(6, true);
  expect(said).toEqual([
    'LINE: "a k" stands first in line for 1 of render, and has for 5 ticks though they are free',
  ]);
  expect(told).toEqual([1]);
});

test('nothing is said of who is served soon, has somebody before it, has left, or wants more than this', () => {
  const soon = line();
  soon.at(1);
  for (let times = 0; times < 3; times++) {
    soon.ticks(4, true);
    soon.ticks(1, false);
  }
  const second = line();
  second.at(2);
  second.ticks(9, true);
  const overtaken = line();
  overtaken.at(1);
  overtaken.ticks(4, true);
  overtaken.at(2);
  overtaken.ticks(4, true);
  const gone = line();
  gone.at(1);
  gone.left();
  gone.ticks(9, true);
  const bundle = line([ONE, { products: ['comp'], seats: 1 }]);
  const either = line([{ products: ['render', 'comp'], seats: 1 }]);
  for (const each of [bundle, either]) {
    each.at(1);
    each.ticks(9, true);
  }
  for (const { said } of [soon, second, overtaken, gone, bundle, either]) expect(said).toEqual([]);
});

test('who asks again stands in the same place: as the newest asks, and until the last of them leaves', () => {
  const onlyNewest = ({ nonce }: Command<'checkout'>): boolean => nonce === 'again';
  for (const leaves of ['older', 'newer', 'both'] as const) {
    const { said, left, at, look, stand } = line();
    at(1);
    const again = stand('again');
    again.at(1);
    at(1);
    if (leaves !== 'newer') left();
    if (leaves !== 'older') again.left();
    look(5, onlyNewest);
    expect(said).toHaveLength(leaves === 'both' ? 0 : 1);
  }
});

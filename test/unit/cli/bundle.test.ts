import { bundleWords, parseBundle, parseWaitMs, tellPlace } from '@berth/cli/run/bundle';
import { describe, expect, it } from 'vitest';

describe('--product of berth run', () => {
  it.each([
    [['render'], [{ product: 'render', seats: 3 }]],
    [['render:2'], [{ product: 'render', seats: 2 }]],
    [['node,workstation'], [{ product: ['node', 'workstation'], seats: 3 }]],
    [
      ['gui:1', 'node,workstation:2'],
      [
        { product: 'gui', seats: 1 },
        { product: ['node', 'workstation'], seats: 2 },
      ],
    ],
  ])('%j', (words, bundle) => {
    expect(parseBundle(words, 3)).toEqual(bundle);
  });

  it.each([
    [['']],
    [['render,']],
    [['Render']],
    [['render:0']],
    [['render:65']],
    [['render:x']],
    [['render:1:1']],
    [['render', 'render']],
    [['a,b', 'b,c']],
    [['a,b,c,d,e,f,g,h,i']],
    [['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']],
  ])('%j is a mistake', (words) => {
    expect(() => parseBundle(words, 1)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('is said as people say it', () => {
    expect(bundleWords(parseBundle(['gui', 'node,workstation:2'], 1))).toBe(
      'a seat of gui and 2 seats of node or workstation',
    );
  });
});

it('--wait is at most a day', () => {
  expect(parseWaitMs('1d')).toBe(86_400_000);
  expect(() => parseWaitMs('2d')).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

it('the place in line is told on a terminal and nowhere else', () => {
  const written: string[] = [];
  const stderr = (isTty: boolean) => ({
    isTty,
    columns: 80,
    ...{ colours: false, readerGone: false },
    write: (text: string) => void written.push(text),
  });
  const notice = { position: 2, estimateMs: 300_000, nextFreeAtMs: null };
  const bundle = parseBundle(['render'], 1);
  tellPlace({ stderr: stderr(false), nowMs: () => 0 }, bundle, notice);
  expect(written).toEqual([]);
  tellPlace({ stderr: stderr(true), nowMs: () => 0 }, bundle, notice);
  expect(written).toEqual(['berth: waiting for a seat of render: number 2 in line, about 5 min\n']);
});

import { expect, test } from 'vitest';
import { type Profile, partsOf, partsText } from '../bench/profile-parts.js';

// root > start > sign; root > (idle); root > turn > answer (dispatch) > checkout (decide) > sign, and > writev by way of _tls_wrap.
const stacks: readonly [id: number, functionName: string, url: string, children: number[]][] = [
  [1, '(root)', '', [2, 4, 5, 10]],
  [2, 'start', 'file:///x/server/dist/main.js', [3]],
  [3, 'signOneShot', 'node:internal/crypto/sig', []],
  [4, '(idle)', '', []],
  [5, 'turn', 'file:///x/server/dist/transport/turns.js', [6]],
  [6, 'receive', 'file:///x/server/dist/transport/dispatch.js', [7, 8]],
  [7, 'checkout', 'file:///x/server/dist/domain/decide/checkout.js', [9]],
  [8, 'writeString', 'node:internal/stream_base_commons', [11]],
  [9, 'signOneShot', 'node:internal/crypto/sig', []],
  [10, '(garbage collector)', '', []],
  [11, 'writev', '', []],
];
const nodes = stacks.map(([id, functionName, url, children]) => ({
  ...{ id, children, callFrame: { functionName, url } },
}));

function profile(...ran: [id: number, us: number][]): Profile {
  return { nodes, samples: ran.map(([id]) => id), timeDeltas: ran.map(([, us]) => us) };
}

test('what ran counts for the part that it, or the nearest of its callers, belongs to', () => {
  const parts = partsOf(profile([6, 100], [7, 300], [9, 400], [10, 100], [11, 100]))!;
  expect(Object.fromEntries(parts.percent)).toEqual({
    '`decide`': 30,
    'signatures made': 40,
    'the garbage collector': 10,
    'sockets: TLS and the system’s calls': 10,
    'sessions, turns, limits': 10,
  });
  expect(parts.percent[0]).toEqual(['signatures made', 40]);
  expect(partsText(parts)).toContain('| `decide` | 30.0 |');
});

test('a start, an end and idle time count for nothing', () => {
  const parts = partsOf(profile([3, 5_000_000], [9, 1_000], [4, 2_000_000], [7, 3_000], [3, 5_000_000]))!;
  expect(parts).toEqual({
    percent: [
      ['`decide`', 75],
      ['signatures made', 25],
    ],
    busySeconds: 0.004,
    seconds: 2.004,
  });
});

test('where nothing was asked there are no parts', () => {
  expect(partsOf(profile([3, 5_000], [4, 100]))).toBeNull();
});

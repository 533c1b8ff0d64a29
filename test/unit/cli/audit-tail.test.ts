import { BerthError } from '@berth/client';
import { expect, it } from 'vitest';
import { berth, fakeAdmin } from './fake-host.js';

const processes = {
  start: () => {
    throw new Error('not expected by this test');
  },
  onSignals: () => () => undefined,
  after: (_ms: number, run: () => void) => {
    queueMicrotask(run);
    return () => undefined;
  },
} as never;

const entry = (seq: number) => ({ seq, place: 0, changes: [] });

/** A journal that grows by one record with each look, on a server that is away at some looks. */
function growing(fails: (look: number) => Error | null) {
  let looks = 0;
  return fakeAdmin({
    'audit.list': ({ after }) => {
      const error = fails(++looks);
      if (error !== null) throw error;
      const from = after === undefined ? 0 : Number(after);
      return { items: [entry(from + 1)], next: null, at: String(from + 1) };
    },
  });
}

it.each(['CONNECTION_LOST', 'UNREACHABLE', 'TIMEOUT', 'DRAINING'] as const)(
  'berth audit tail goes on behind the last record after %s, on a new connection',
  async (code) => {
    const { sdk, stillOpen } = growing((look) => (look === 3 || look === 4 ? new BerthError(code) : null));
    const ran = await berth(['audit', 'tail', '--count', '5', '--json'], { sdk, processes });
    expect(ran.exitCode).toBe(0);
    expect((ran.json() as { items: { seq: number }[] }).items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(ran.stderr.match(/Waiting for the server/g)).toHaveLength(1);
    expect(ran.stderr).not.toContain('It is tried again');
    expect(stillOpen()).toBe(0);
  },
);

it('berth audit tail ends with what no other connection would mend, and where there was no first one', async () => {
  for (const [look, code, exitCode] of [
    [3, 'NOT_ALLOWED', 4],
    [1, 'UNREACHABLE', 5],
  ] as const) {
    const { sdk } = growing((at) => (at === look ? new BerthError(code) : null));
    expect(await berth(['audit', 'tail', '--json'], { sdk, processes })).toMatchObject({ exitCode });
  }
});

it('berth audit tail ends quietly with who reads it, also while the server is away', async () => {
  const after = (lines: number) => (written: string) => written.split('\n').length > lines;
  const { sdk, calls } = growing(() => null);
  const ran = await berth(['audit', 'tail'], { sdk, processes, readerGone: after(3) });
  expect([ran.exitCode, ran.stdout.split('\n').length, ran.stderr]).toEqual([0, 4, '']);
  expect(calls).toHaveLength(3);
  const lost = growing((look) => (look > 1 ? new BerthError('CONNECTION_LOST') : null));
  const readerGone = after(1);
  const away = await berth(['audit', 'tail'], { sdk: lost.sdk, processes, readerGone });
  expect([away.exitCode, away.stdout.split('\n').length, away.stderr]).toEqual([0, 2, '']);
});

it('berth audit tail gives head the time to go between the lines that were there before', async () => {
  let pauses = 0;
  const after = (_ms: number, run: () => void) => {
    pauses += 1;
    queueMicrotask(run);
    return () => undefined;
  };
  const items = Array.from({ length: 10 }, (_, at) => entry(10 - at));
  const { sdk, calls } = fakeAdmin({ 'audit.list': () => ({ items, next: null, at: '10' }) });
  const host = {
    sdk,
    processes: { ...(processes as object), after } as never,
    readerGone: () => pauses === 2,
  };
  const ran = await berth(['audit', 'tail'], host);
  expect([ran.exitCode, ran.stdout.split('\n').length, calls.length]).toEqual([0, 3, 1]);
});

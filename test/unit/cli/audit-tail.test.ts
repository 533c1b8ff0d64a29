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

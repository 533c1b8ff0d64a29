import type { Host } from '@berth/cli/context';
import { ProgressLine } from '@berth/cli/progress';
import { describe, expect, it } from 'vitest';

const line = '\r\u001b[K';

/** A terminal whose clock the test owns. */
function terminal(isTty: boolean, env: Record<string, string> = {}) {
  const seen = { stdout: '', stderr: '' };
  const timers = new Set<{ atMs: number; call: () => void }>();
  let nowMs = 0;
  const screen = (name: 'stdout' | 'stderr') => ({
    isTty,
    columns: isTty ? 40 : undefined,
    ...{ colours: false, readerGone: false },
    write: (text: string) => {
      seen[name] += text;
    },
  });
  const refuse = (): never => {
    throw new Error('not expected by this test');
  };
  const host: Partial<Host> = {
    env,
    stdin: { isTty, readAll: refuse, ask: async () => 'y', askHidden: refuse },
    stdout: screen('stdout'),
    stderr: screen('stderr'),
    nowMs: () => nowMs,
    processes: {
      start: refuse,
      onSignals: refuse,
      after: (delayMs, call) => {
        const timer = { atMs: nowMs + delayMs, call };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
  };
  const pass = (ms: number): void => {
    const untilMs = nowMs + ms;
    for (;;) {
      const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      timers.delete(next);
      nowMs = next.atMs;
      next.call();
    }
    nowMs = untilMs;
  };
  return { seen, pass, timers, progress: new ProgressLine(host as Host) };
}

describe('progress', () => {
  it('is a line after a second, and gone before anything else is written', () => {
    const { seen, pass, timers, progress } = terminal(true);
    const { host } = progress;
    host.progress.say('importing a.ent (1 of 2)');
    pass(999);
    expect(seen.stderr).toBe('');
    pass(1);
    expect(seen.stderr).toBe(`${line}berth: importing a.ent (1 of 2), 1 s`);
    pass(2000);
    expect(seen.stderr.endsWith(`${line}berth: importing a.ent (1 of 2), 3 s`)).toBe(true);
    seen.stderr = '';
    host.stdout.write('a row\n');
    expect(seen).toEqual({ stderr: line, stdout: 'a row\n' });
    progress.end();
    pass(5000);
    expect([seen.stderr, timers.size]).toEqual([line, 0]);
  });

  it('fits the terminal', () => {
    const { seen, pass, progress } = terminal(true);
    progress.say('x'.repeat(100));
    pass(1000);
    expect(seen.stderr).toBe(`${line}berth: ${'x'.repeat(31)}…`);
  });

  it('waits while somebody is asked', async () => {
    const { seen, pass, progress } = terminal(true);
    const answered = progress.host.stdin.ask('Sure?', new AbortController().signal);
    pass(5000);
    expect(seen.stderr).toBe('');
    await answered;
    pass(1000);
    expect(seen.stderr).toContain('berth: working, 6 s');
  });

  it('is nothing without a terminal, and said once where a line cannot be taken back', () => {
    const pipe = terminal(false);
    pipe.pass(10_000);
    expect([pipe.seen.stderr, pipe.timers.size]).toEqual(['', 0]);
    const dumb = terminal(true, { TERM: 'dumb' });
    dumb.pass(10_000);
    expect(dumb.seen.stderr).toBe('berth: working, 1 s\n');
  });
});

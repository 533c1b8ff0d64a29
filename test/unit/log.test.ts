import { componentLog, createLog, LogOutput } from '@berth/server/ops/log';
import { expect, test } from 'vitest';

function logged(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const clock = {
    now: () => ({ monoMs: 0, wallMs: Date.UTC(2026, 0, 2), steadyWallMs: Date.UTC(2026, 0, 2) }),
  };
  const log = createLog({ level, clock, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') };
}

test('a line is one JSON object with time, level and component', () => {
  const { log, lines, last } = logged();
  componentLog(log, 'engine').warn({ seq: 7 }, 'two\nlines');
  expect(lines).toHaveLength(1);
  expect(lines[0]!.trimEnd()).not.toContain('\n');
  expect(last()).toMatchObject({
    time: '2026-01-02T00:00:00.000Z',
    level: 'warn',
    component: 'engine',
    seq: 7,
    msg: 'two\nlines',
  });
});

test('less important messages are left out', () => {
  const { log, lines } = logged();
  log.debug('not this');
  expect(lines).toEqual([]);
});

test('secrets never reach it, at any depth a line has', () => {
  const { log, lines } = logged();
  for (const name of ['token', 'key', 'secret', 'privateKey', 'keyPem']) {
    const secret = { [name]: 'hunter2' };
    log.info(secret);
    log.info({ request: secret });
    log.info({ request: { params: secret } });
    log.info({ key: 'hunter2', request: { ...secret, params: secret } });
    log.child(secret).info('child');
    log.child({ device: secret }).info('child');
  }
  expect(lines).toHaveLength(30);
  expect(lines.join('')).not.toContain('hunter2');
  expect(lines.every((line) => line.includes('[secret]'))).toBe(true);
});

test.each<[string, (text: string) => boolean, RegExp]>([
  [
    'a disk that is full of logs',
    () => {
      throw new Error('ENOSPC: no space left on device, write');
    },
    /ENOSPC/,
  ],
  ['a reader that went away', () => false, /its reader went away/],
])('%s ends nothing: stderr says so once, and the log how many lines it has not', (_, fail, reason) => {
  let full = false;
  const [written, said]: [string[], string[]] = [[], []];
  const output = new LogOutput(
    () => '2026-11-29T00:00:00.000Z',
    (text) => (full ? fail(text) : written.push(text) > 0),
    (text) => said.push(text),
  );
  const log = createLog({ level: 'info', destination: output });
  log.info('one');
  full = true;
  log.info('two');
  log.fatal('three');
  full = false;
  log.info('four');
  expect(said).toEqual([expect.stringMatching(/^berthd: the log cannot be written, and .*: .*\n$/)]);
  expect(said[0]).toMatch(reason);
  const lines = written
    .join('')
    .split('\n')
    .filter((line) => line !== '');
  const found = lines.map((line): { msg: string; lost?: number } => JSON.parse(line));
  expect(found[1]).toMatchObject({ level: 'warn', time: '2026-11-29T00:00:00.000Z', pid: process.pid });
  expect(found.map(({ msg, lost }) => lost ?? msg)).toEqual(['one', 2, 'four']);
});

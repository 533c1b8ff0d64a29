import { componentLog, createLog } from '@berth/server/ops/log';
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

import { eventLog, type TransportLog } from '@berth/server/transport/event-log';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

function recordingLog(): { log: TransportLog; lines: { level: string; details: object }[] } {
  const lines: { level: string; details: object }[] = [];
  const at = (level: string) => (details: object) => void lines.push({ level, details });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

describe('the log of events', () => {
  it('writes requests where they do not fill the disk, and our own faults where they are seen', () => {
    const { log, lines } = recordingLog();
    const write = eventLog(log, () => 0);
    write({ type: 'request', method: 'lease.renew', ok: true, code: null, elapsedMs: 1 });
    write({ type: 'handlerError', method: null, error: new Error('a bug') });
    expect(lines.map(({ level }) => level)).toEqual(['debug', 'error']);
  });

  it('does not let strangers fill the disk, and counts what it left out', () => {
    const { log, lines } = recordingLog();
    let nowMs = 0;
    const write = eventLog(log, () => nowMs);
    const refuse = () => write({ type: 'refused', reason: 'FLOOD', address: '10.0.0.1' });
    for (let i = 0; i < 1000; i++) refuse();
    expect(lines).toHaveLength(20);
    nowMs = 1_000;
    refuse();
    expect(lines.at(-1)?.details).toEqual({ reason: 'FLOOD', address: '10.0.0.1', suppressed: 980 });
  });

  it('does not let a device that comes and goes fill the disk, nor hide the others', () => {
    const { log, lines: all } = recordingLog();
    const shown = () => all.filter(({ level }) => level !== 'debug');
    let nowMs = 0;
    const write = eventLog(log, () => nowMs);
    const session = (deviceId: string) => ({
      ...{ session: 's', path: 'lease' as const, deviceId, email: 'ann@studio.example', address: '10.0.0.1' },
    });
    const comesAndGoes = (device: string) => {
      write({ type: 'sessionOpened', session: session(device), client: null, witness: null });
      write({ type: 'sessionClosed', session: session(device), reason: 'PEER_CLOSED', openMs: 1 });
    };
    for (let i = 0; i < 1000; i++) comesAndGoes('storm');
    expect(shown()).toHaveLength(20);
    expect(all).toHaveLength(2000);
    comesAndGoes('another');
    expect(shown()).toHaveLength(22);
    expect(shown()[20]?.details).toMatchObject({ deviceId: 'another', suppressedSessions: 1980 });
    expect(shown()[21]?.details).not.toHaveProperty('suppressedSessions');
    write({ type: 'superseded', session: session('storm'), by: '10.0.0.9' });
    expect(shown().at(-1)).toMatchObject({ level: 'warn', details: { by: '10.0.0.9' } });
    nowMs = 10_000;
    comesAndGoes('storm');
    expect(shown()).toHaveLength(25);
  });

  it('takes a pino log', () => {
    const log: TransportLog = pino({ level: 'silent' });
    eventLog(log, () => 0)({ type: 'refused', reason: 'FLOOD', address: '10.0.0.1' });
  });
});

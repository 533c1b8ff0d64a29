import type { TlsIdentity } from '@berth/server/transport/certificate-files';
import { CertificateKeeper, type CertificateNews } from '@berth/server/transport/certificate-keeper';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 22);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function identity(cert: string, days = 800, uncovered: readonly string[] = []): TlsIdentity {
  const files = { key: 'key', cert, ca: 'ca' };
  return { ...files, source: 'own', issued: undefined, uncovered, notAfterMs: NOW_MS + days * DAY_MS };
}

function keep(first: TlsIdentity): {
  keeper: CertificateKeeper;
  disk: { tls: TlsIdentity | null };
  news: CertificateNews['type'][];
} {
  const disk: { tls: TlsIdentity | null } = { tls: first };
  const news: CertificateNews['type'][] = [];
  const problem = { code: 'CERTIFICATE_INVALID', file: 'x', message: 'x', next: 'y' } as const;
  const keeper = new CertificateKeeper(first, {
    load: async () => (disk.tls === null ? { ok: false, problem } : { ok: true, value: disk.tls }),
    nowMs: () => NOW_MS,
    asked: () => ['lic.example'],
    onNews: ({ type }) => void news.push(type),
  });
  return { keeper, disk, news };
}

test('looks once a day by itself, and takes over what is new', async () => {
  const { keeper, disk, news } = keep(identity('one'));
  const taken: string[] = [];
  keeper.onTaken(({ cert }) => void taken.push(cert));
  await vi.advanceTimersByTimeAsync(DAY_MS);
  expect(taken).toEqual([]);
  disk.tls = identity('two');
  await vi.advanceTimersByTimeAsync(DAY_MS);
  expect([taken, keeper.current.cert, news]).toEqual([['two'], 'two', ['taken']]);
  keeper.stop();
  disk.tls = identity('three');
  await vi.advanceTimersByTimeAsync(3 * DAY_MS);
  expect(taken).toEqual(['two']);
});

test('what cannot be served changes nothing and is said', async () => {
  const { keeper, disk, news } = keep(identity('one'));
  disk.tls = null;
  expect(await keeper.look()).toMatchObject({ ok: false });
  expect([keeper.current.cert, news]).toEqual(['one', ['refused']]);
  keeper.stop();
});

test('says that it expires, and which of the asked names it misses', () => {
  const soon = keep(identity('one', 29, ['lic.example', 'localhost']));
  expect([soon.keeper.expiring, soon.news]).toEqual([true, ['expiring', 'uncovered']]);
  soon.keeper.stop();
  // Only names nobody asked for are missing.
  const fine = keep(identity('one', 31, ['localhost']));
  expect([fine.keeper.expiring, fine.news]).toEqual([false, []]);
  fine.keeper.stop();
});

test('a disk that cannot be written ends nothing: what is served stays', async () => {
  const news: CertificateNews[] = [];
  const keeper = new CertificateKeeper(identity('one'), {
    load: () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })),
    nowMs: () => NOW_MS,
    asked: () => [],
    onNews: (told) => void news.push(told),
  });
  await vi.advanceTimersByTimeAsync(DAY_MS);
  expect(await keeper.look()).toMatchObject({ ok: false, problem: { code: 'CERTIFICATE_INVALID' } });
  expect([keeper.current.cert, news.map(({ type }) => type)]).toEqual(['one', ['refused', 'refused']]);
  keeper.stop();
});

import { BerthError, type OpenBorrowRequest } from '@berth/client';
import { formatOfflineFile } from '@berth/protocol';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, joined, oneIdentity } from './fake-host.js';

// What a person stumbled over who used `berth` for the first time.

const nowMs = Date.UTC(2026, 0, 15, 12);

describe('a join file that others can read', () => {
  const link = '/run/berth/join';
  const notJoined = () => ({ ...oneIdentity()(undefined), current: async () => null });
  const list = (more: { env?: Record<string, string>; mode?: number; identities?: typeof notJoined }) =>
    berth(['user', 'list', '--json'], {
      sdk: {
        ...fakeAdmin({ 'user.list': () => ({ items: [], next: null }) }).sdk,
        identities: more.identities ?? notJoined,
      },
      env: more.env ?? { BERTH_JOIN_FILE: link },
      files: new Map([[link, 'berth://h:1/?key=k&token=t']]),
      modes: new Map([[link, more.mode ?? 0o644]]),
      nowMs,
    });

  it('is remarked on, on stderr, and used', async () => {
    const ran = await list({});
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.json()).toEqual({ items: [], next: null });
    expect(ran.stderr).toBe(
      `berth: the join link in "${link}" can be read by others (mode 0644): chmod 600 ${link}\n`,
    );
  });

  it.each([
    ['it is of mode 0600', { mode: 0o600 }],
    [
      'it is not used: the link is given directly',
      { env: { BERTH_JOIN_FILE: link, BERTH_JOIN: 'berth://h' } },
    ],
    ['it is not used: this computer has joined', { identities: oneIdentity(joined) as never }],
    ['it is not there', { env: { BERTH_JOIN_FILE: '/nowhere' } }],
  ])('not when %s', async (_, how) => {
    expect((await list(how)).stderr).toBe('');
  });
});

describe('berth borrow list after berth borrow request', () => {
  const request: OpenBorrowRequest = {
    nonce: 'n1',
    context: 'airgap',
    product: 'render',
    seats: 2,
    seconds: 3 * 86_400,
    requestedAtMs: nowMs - 300_000,
  };
  const list = (
    open: readonly OpenBorrowRequest[],
    code: 'NOT_JOINED' | 'FILE_UNREADABLE',
    ...more: string[]
  ) =>
    berth(['borrow', 'list', ...more], {
      sdk: {
        listBorrowRequests: async () => [...open],
        listBorrows: async () => {
          throw new BerthError(code);
        },
      },
      nowMs,
    });

  it('says what is open and what to do, on a machine that never joined', async () => {
    const ran = await list([request], 'NOT_JOINED', '--json');
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(ran.json()).toEqual({ items: [], next: null, requests: [request] });
    expect(ran.stderr).toContain('2 seats of render for 3 d');
    expect(ran.stderr).toContain('berth borrow install FILE');
  });

  it('without a request it stays NOT_JOINED, and another failure stays what it is', async () => {
    expect((await list([], 'NOT_JOINED', '--json')).json()).toMatchObject({ error: { code: 'NOT_JOINED' } });
    const other = await list([request], 'FILE_UNREADABLE', '--json');
    expect(other.json()).toMatchObject({ error: { code: 'FILE_UNREADABLE' } });
  });

  it('of another product than asked it is not said', async () => {
    const ran = await list([request], 'NOT_JOINED', '--product', 'sim', '--json');
    expect(ran.json()).toEqual({ items: [], next: null });
  });
});

describe('berth borrow install', () => {
  const token = 'a.b.c';
  const files = new Map([
    ['bad.json', '{"berth":"borrow-grant"}'],
    [
      'return.json',
      formatOfflineFile({ berth: 'borrow-return', version: 1, device: joined.serverKey, stops: [token] }),
    ],
    ['request.json', formatOfflineFile({ berth: 'borrow-request', version: 1, token })],
  ]);
  it.each([
    ['bad.json', 'BORROW_FILE_INVALID', /"bad\.json" is not a borrow file/],
    ['return.json', 'BORROW_FILE_INVALID', /"return\.json" is a return, not a grant/],
    ['request.json', 'BORROW_FILE_INVALID', /"request\.json" is a request, not a grant/],
    ['gone.json', 'FILE_UNREADABLE', /"gone\.json" cannot be read/],
  ])('of %s says %s and names the file', async (path, code, message) => {
    const ran = await berth(['borrow', 'install', path, '--json'], { files });
    expect(ran.json()).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
    expect(ran.exitCode).not.toBe(0);
  });
});

describe('berth machine token create --expires', () => {
  it.each(['yesterday', '31.12.2026', 'never', ''])(
    '%j says that days are taken too, with one',
    async (text) => {
      const ran = await berth(['machine', 'token', 'create', '--expires', text, '--json'], { nowMs });
      expect(ran.exitCode).toBe(2);
      const next = expect.stringMatching(/30d.*YYYY-MM-DD.*2026-02-14/);
      expect(ran.json()).toMatchObject({ error: { code: 'USAGE', next } });
    },
  );
});

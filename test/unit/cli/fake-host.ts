import type { Context, Host } from '@berth/cli/context';
import { OutputLost } from '@berth/cli/files';
import { main } from '@berth/cli/main';
import type { Sdk } from '@berth/cli/sdk';
import type { AdminConnection, Context as Joined } from '@berth/client';

/** What one call of `berth` did. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout of `--json`. */
  json(): unknown;
}

export interface HostOptions {
  readonly sdk?: Partial<Sdk>;
  readonly stdin?: string;
  /** A person at a terminal, who gives these answers. */
  readonly answers?: string[];
  readonly files?: Map<string, string>;
  /** Permission bits of `files`; 0600 when not said. */
  readonly modes?: ReadonlyMap<string, number>;
  readonly env?: Readonly<Record<string, string>>;
  readonly nowMs?: number;
  readonly signal?: AbortSignal;
  readonly processes?: Context['processes'];
  readonly network?: Context['network'];
  /** Where a full disk takes nothing: of stdout, or of files that are written piece by piece. */
  readonly full?: 'stdout' | 'files';
  /** Whose terminal shows colours. */
  readonly colours?: 'stdout' | 'stderr';
  /** Whether whoever reads it went away, by what was written. */
  readonly readerGone?: (written: string) => boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

const refuse = (): never => {
  throw new Error('not expected by this test');
};

/** Runs a command line against a host that exists only here. */
export async function berth(typed: readonly string[], options: HostOptions = {}): Promise<Ran> {
  const { answers, files = new Map(), signal = new AbortController().signal } = options;
  const written = { stdout: '', stderr: '' };
  const isTty = answers !== undefined;
  const screen = (name: 'stdout' | 'stderr') => ({
    isTty,
    columns: isTty ? (options.columns ?? 80) : undefined,
    colours: options.colours === name,
    get readerGone() {
      return options.readerGone?.(written[name]) ?? false;
    },
    write: (text: string) => {
      if (options.full === name) throw new OutputLost(fail('ENOSPC'));
      written[name] += text;
    },
  });
  const host: Host = {
    env: options.env ?? {},
    stdin: {
      isTty,
      readAll: async () => options.stdin ?? '',
      ask: async (question) => {
        written.stderr += question;
        return answers?.shift() ?? '';
      },
      askHidden: async (question) => {
        written.stderr += question;
        return answers?.shift() ?? '';
      },
    },
    stdout: screen('stdout'),
    stderr: screen('stderr'),
    files: fakeFiles(files, options.modes ?? new Map(), options.full === 'files'),
    network: options.network ?? noNetwork,
    nodeVersion: '20.19.0',
    processes: options.processes ?? { start: refuse, onSignals: refuse, after: () => () => undefined },
    sdk: { ...noSdk, ...options.sdk },
    nowMs: () => options.nowMs ?? Date.UTC(2026, 0, 15, 12),
    signal,
  };
  const exitCode = await main(typed, host);
  return { exitCode, ...written, json: () => JSON.parse(written.stdout) };
}

export const noSdk: Sdk = {
  connect: refuse,
  joinServer: refuse,
  openAdmin: refuse,
  openLease: refuse,
  listBorrows: refuse,
  returnBorrows: refuse,
  borrowsToReturn: refuse,
  requestBorrow: refuse,
  listBorrowRequests: refuse,
  installBorrow: refuse,
  returnBorrowsOffline: refuse,
  newIdempotencyKey: () => 'test-key-0123456789',
  folders: () => ({ config: '/home/x/config', state: '/home/x/state' }),
  identities: refuse,
};

const noNetwork: Context['network'] = {
  resolve: refuse,
  services: refuse,
  reach: refuse,
  certificate: refuse,
  get: refuse,
};

const fail = (code: string) => Object.assign(new Error(code), { code });

function fakeFiles(
  files: Map<string, string>,
  modes: ReadonlyMap<string, number>,
  full: boolean,
): Context['files'] {
  return {
    read: async (path) => {
      const text = files.get(path);
      if (text === undefined) throw fail('ENOENT');
      return text;
    },
    async *chunks(path) {
      const text = files.get(path);
      if (text === undefined) throw fail('ENOENT');
      yield Buffer.from(text);
    },
    create: async (path, _mode, exclusive) => {
      if (exclusive && files.has(path)) throw fail('EEXIST');
      files.set(path, '');
      return {
        write: async (text) => {
          if (full) throw fail('ENOSPC');
          files.set(path, `${files.get(path)}${text}`);
        },
        close: async () => undefined,
      };
    },
    write: async (path, text) => {
      files.set(path, text);
    },
    exists: async (path) => files.has(path),
    rename: async (from, to) => {
      files.set(to, files.get(from) ?? '');
      files.delete(from);
    },
    name: async (from, to) => {
      if (files.has(to)) throw fail('EEXIST');
      files.set(to, files.get(from) ?? '');
      files.delete(from);
    },
    remove: async (path) => void files.delete(path),
    mode: async (path) => (files.has(path) ? (modes.get(path) ?? 0o600) : null),
    freeBytes: async () => 2 ** 33,
    makeFolder: async () => undefined,
  };
}

export const joined: Joined = {
  name: 'studio',
  servers: ['licences.example:7433'],
  adminServers: null,
  serverId: 'srv-1',
  serverKey: `ed25519:${'A'.repeat(43)}`,
  caPem: '',
  email: 'owner@studio.example',
  device: 'dev-1',
  deviceName: 'ws-1',
  scopes: ['lease', 'admin'],
  organisation: 'Studio',
  joinedWith: null,
};

/** The contexts of one joined server. */
export const oneIdentity = (context: Joined = joined): Sdk['identities'] => {
  return () => ({
    list: async () => [context],
    listReadable: async () => ({ contexts: [context], damaged: [] }),
    current: async () => context.name,
    use: async () => undefined,
    read: async () => context,
  });
};

/** An admin channel that answers each method with a function; what was asked is kept in `calls`. */
export function fakeAdmin(answers: { [method: string]: (params: Record<string, unknown>) => unknown }) {
  const calls: { method: string; params: unknown }[] = [];
  const call = async (method: string, params: Record<string, unknown>) => {
    calls.push({ method, params });
    const answer = answers[method];
    if (answer === undefined) throw new Error(`${method} is not expected by this test`);
    return answer(params);
  };
  const me = {
    session: 's-1',
    device: { id: 'dev-1', name: 'ws-1' },
    user: { email: 'owner@studio.example', name: 'Owner', role: 'owner', state: 'active' },
    server: { id: 'srv-1', key: joined.serverKey },
    organisation: { name: 'Studio' },
    leaseSeconds: 120,
    nowMs: 0,
    address: 'licences.example:7433',
  } as const;
  let open = 0;
  const openAdmin: Sdk['openAdmin'] = async () => {
    open += 1;
    const close = async () => {
      open -= 1;
    };
    const channel = { me, context: joined, call: call as AdminConnection['call'], close };
    return { ...channel, [Symbol.asyncDispose]: close };
  };
  return { calls, sdk: { openAdmin, identities: oneIdentity() }, stillOpen: () => open };
}

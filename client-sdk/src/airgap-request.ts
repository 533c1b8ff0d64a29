import { formatOfflineFile, formatPublicKey, signToken } from '@berth/protocol';
import type { ListBorrowsOptions, OfflineRequest, OpenBorrowRequest, RequestBorrowOptions } from './api.js';
import { borrowSeconds } from './borrow-take.js';
import { isContextName } from './context.js';
import { BerthError } from './errors.js';
import type { Files, Host } from './host.js';
import { IdentityStore, invalidName } from './identity-store.js';
import { newNonce } from './random.js';
import { object, parseJson, text, whole } from './shape.js';
import { seatCount } from './wants.js';

/** The context of a machine that never joined a server, unless another name is asked for. */
const AIRGAP = 'airgap';

const requestShape = object({
  nonce: text,
  product: text,
  seats: whole,
  seconds: whole,
  requestedAtMs: whole,
});

/**
 * Requests in files that are not answered yet: `state/<context>/requests/<nonce>.json`. A grant counts only while its request is here, so that
 * one that was installed, used and returned cannot be installed again.
 */
export class OfflineRequests {
  readonly #files: Files;
  constructor(files: Files) {
    this.#files = files;
  }

  async keep(context: string, request: Omit<OfflineRequest, 'file' | 'context'>): Promise<void> {
    await this.#files.write(pathOf(context, request.nonce), `${JSON.stringify(request)}\n`);
  }

  /** The request with this nonce, of whichever context of this machine. */
  async find(nonce: string): Promise<OpenBorrowRequest | null> {
    for (const context of await this.#files.list('state')) {
      if (!isContextName(context)) continue;
      const json = await this.#files.read(pathOf(context, nonce));
      const request = json === null ? undefined : parseJson(json, requestShape);
      if (request !== undefined) return { ...request, context };
    }
    return null;
  }

  /** Every request of a context, the oldest first. */
  async all(context: string): Promise<OpenBorrowRequest[]> {
    const requests: OpenBorrowRequest[] = [];
    for (const name of await this.#files.list(`state/${context}/requests`)) {
      const json = await this.#files.read(`state/${context}/requests/${name}`);
      const request = json === null ? undefined : parseJson(json, requestShape);
      if (request !== undefined) requests.push({ ...request, context });
    }
    return requests.sort((a, b) => a.requestedAtMs - b.requestedAtMs);
  }

  async remove(context: string, nonce: string): Promise<void> {
    await this.#files.remove(pathOf(context, nonce));
  }
}

function pathOf(context: string, nonce: string): string {
  return `state/${context}/requests/${nonce}.json`;
}

/**
 * What this machine asked for in files and has not installed an answer to, the oldest first. Needs no server and no context: a machine
 * that never joined has asked in its own name. @throws BerthError FILE_UNREADABLE
 */
export async function listRequestsWith(
  host: Host,
  options: Pick<ListBorrowsOptions, 'context' | 'home'>,
): Promise<OpenBorrowRequest[]> {
  const files = host.files(options.home);
  const context = options.context ?? (await new IdentityStore(files).current()) ?? AIRGAP;
  return isContextName(context) ? new OfflineRequests(files).all(context) : [];
}

/**
 * Asks for seats in a file: for a machine that no network reaches. A machine without a context gets keys of its own here; the admin who
 * grants says whose it is. On disk before it resolves. @throws BerthError USAGE, PARAMS_INVALID, FOLDER_UNWRITABLE
 */
export async function requestBorrowWith(host: Host, options: RequestBorrowOptions): Promise<OfflineRequest> {
  const { product } = options;
  const [seats, seconds] = [seatCount(options.seats), borrowSeconds(options.seconds)];
  const files = host.files(options.home);
  const store = new IdentityStore(files);
  const context = options.context ?? (await store.current()) ?? AIRGAP;
  if (!isContextName(context)) throw invalidName(context);
  const joined = (await store.has(context)) ? await store.read(context) : null;
  let seed = await store.readKey(context, 'lease');
  if (seed === null && joined !== null) {
    throw new BerthError('NOT_JOINED', { message: `The key of the context "${context}" is missing.` });
  }
  if (seed === null) {
    seed = host.randomBytes(32);
    await store.saveKey(context, 'lease', seed);
  }
  const key = host.signingKey(seed);
  const [nonce, requestedAtMs] = [newNonce(host), Math.round(host.clock.wallMs())];
  const claims = {
    nonce,
    dev: formatPublicKey(key.publicKey),
    name: joined?.deviceName ?? options.deviceName ?? host.deviceName(),
    product,
    seats,
    seconds,
    iat: Math.floor(requestedAtMs / 1000),
    ...(joined === null ? {} : { server: joined.serverKey }),
  };
  const token = signToken('borrowRequest', claims, (message) => key.sign(message));
  await new OfflineRequests(files).keep(context, { nonce, product, seats, seconds, requestedAtMs });
  const file = formatOfflineFile({ berth: 'borrow-request', version: 1, token });
  return { file, nonce, context, product, seats, seconds, requestedAtMs };
}

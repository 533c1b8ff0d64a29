import {
  decodeBase64Url,
  type ErrorCode,
  encodeBase64Url,
  formatAddress,
  formatPublicKey,
  type JoinLink,
  type ParamsOf,
  parseJoinLink,
  paths,
  type ResultOf,
  requests,
  type SignatureContext,
  transcriptBytes,
} from '@berth/protocol';
import type { Joined, JoinOptions } from './api.js';
import { fetchAuthority } from './authority.js';
import { Connection, type PushHandlers } from './connection.js';
import { type Context, contextNameFrom, isContextName } from './context.js';
import { dial } from './dial.js';
import { asBerthError, BerthError } from './errors.js';
import { beginTranscript } from './handshake.js';
import type { Host, SigningKey } from './host.js';
import { IdentityStore, invalidName } from './identity-store.js';
import { joinIdOf, type PendingJoin, PendingJoins } from './join-files.js';
import { timing } from './timing.js';
import { freshTrust } from './trust.js';
import { holding, throwIfAborted } from './waiting.js';

const deaf: PushHandlers = {
  'lease.revoked': () => {},
  'lease.warned': () => {},
  'admin.message': () => {},
  'lease.queued': () => {},
  'server.draining': () => {},
};

/** Answers after which the keys made for the link are of no more use. */
const refused = new Set<ErrorCode>(requests['device.enrol'].errors);

/**
 * Joins the server of a link: makes keys, enrols them, and makes the new context current. With the same link again it finishes what a
 * crash left, or finds the context it made: no second device.
 * @throws BerthError LINK_INVALID, UNREACHABLE, SERVER_MISMATCH, INVITATION_INVALID, INVITATION_USED, INVITATION_EXPIRED,
 *   FILE_EXISTS (the name is taken), FOLDER_UNWRITABLE, CANCELLED
 */
export async function joinWith(host: Host, options: JoinOptions): Promise<Joined> {
  const link = parseJoinLink(options.link);
  if (link === null) throw new BerthError('LINK_INVALID');
  return holding(host, async () => new Joining(host, options, link, await joinIdOf(host, link)).run());
}

class Joining {
  readonly #host: Host;
  readonly #options: JoinOptions;
  readonly #link: JoinLink;
  readonly #joinId: string;
  readonly #store: IdentityStore;
  readonly #pending: PendingJoins;

  constructor(host: Host, options: JoinOptions, link: JoinLink, joinId: string) {
    const files = host.files(options.home);
    this.#host = host;
    this.#options = options;
    this.#link = link;
    this.#joinId = joinId;
    this.#store = new IdentityStore(files);
    this.#pending = new PendingJoins(files);
  }

  async run(): Promise<Joined> {
    const earlier = await this.#earlier();
    await this.#requireFreeName(earlier);
    const caPem = await fetchAuthority(this.#host, this.#link, this.#options.signal);
    return earlier === null ? this.#joinNew(caPem) : this.#joinAgain(earlier, caPem);
  }

  async #joinNew(caPem: string): Promise<Joined> {
    const keys = await this.#pending.keep(this.#joinId, () => this.#makeKeys());
    const enrolled = await this.#enrol(keys, caPem);
    const name = this.#options.name ?? (await this.#freeName(enrolled.organisation.name));
    const context: Context = {
      name,
      servers: [formatAddress(this.#link)],
      adminServers: enrolled.adminAddress === undefined ? null : [enrolled.adminAddress],
      serverId: enrolled.server.id,
      serverKey: formatPublicKey(this.#link.serverKey),
      caPem,
      email: enrolled.user.email,
      device: enrolled.device,
      deviceName: keys.deviceName,
      scopes: enrolled.scopes,
      organisation: enrolled.organisation.name,
      joinedWith: this.#joinId,
    };
    await this.#saveKeys(name, keys, enrolled.scopes);
    await this.#store.save(context);
    await this.#finish(name);
    return { context, user: enrolled.user };
  }

  /** The link was used here before: the same identity, with what the server says of it today. */
  async #joinAgain(earlier: Context, caPem: string): Promise<Joined> {
    const seed = await this.#store.readKey(earlier.name, 'lease');
    if (seed === null) throw new BerthError('INVITATION_USED');
    const plan = {
      host: this.#host,
      addresses: [formatAddress(this.#link)],
      trust: freshTrust(caPem),
      identity: {
        path: 'lease' as const,
        serverKey: earlier.serverKey,
        key: this.#host.signingKey(seed),
        client: {},
      },
      witness: () => undefined,
    };
    const { connection, me } = await dial(plan, deaf, this.#options.signal);
    connection.close(new BerthError('CANCELLED'));
    const context: Context = { ...earlier, caPem, organisation: me.organisation.name };
    await this.#store.save(context);
    await this.#finish(context.name);
    return { context, user: me.user };
  }

  async #enrol(keys: PendingJoin, caPem: string): Promise<ResultOf<'device.enrol'>> {
    const { signal } = this.#options;
    const url = `wss://${formatAddress(this.#link)}${paths.lease}`;
    const connection = await Connection.open(this.#host, { url, caPem, signal }, deaf);
    try {
      const params = await this.#proofs(keys, connection);
      throwIfAborted(signal);
      const enrolled = await connection.call('device.enrol', params, timing.requestMs);
      if (enrolled.server.key === formatPublicKey(this.#link.serverKey)) return enrolled;
      throw new BerthError('SERVER_MISMATCH');
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (refused.has(error.code)) await this.#pending.remove(this.#joinId);
      throw error;
    } finally {
      connection.close(new BerthError('CANCELLED'));
    }
  }

  /** Each key signs the transcript of this connection with the token of the link in it (PROTOCOL 2.3). */
  async #proofs(keys: PendingJoin, connection: Connection): Promise<ParamsOf<'device.enrol'>> {
    const serverKey = formatPublicKey(this.#link.serverKey);
    const begun = await beginTranscript(this.#host, connection, 'lease', serverKey);
    const { token } = this.#link;
    const prove = (context: SignatureContext, key: SigningKey) => {
      const deviceKey = formatPublicKey(key.publicKey);
      const signed = key.sign(transcriptBytes(context, { ...begun, deviceKey, token }));
      return { key: deviceKey, signature: encodeBase64Url(signed) };
    };
    const lease = prove('leaseKeyEnrols', this.#signingKey(keys.leaseSeed));
    const admin = keys.adminSeed === null ? null : prove('adminKeyEnrols', this.#signingKey(keys.adminSeed));
    return {
      token,
      leaseKey: lease.key,
      deviceName: keys.deviceName,
      nonce: begun.clientNonce,
      leaseSignature: lease.signature,
      ...(admin === null ? {} : { adminKey: admin.key, adminSignature: admin.signature }),
    };
  }

  #makeKeys(): PendingJoin {
    const { admin = true, deviceName } = this.#options;
    const seed = () => encodeBase64Url(this.#host.randomBytes(32));
    return {
      leaseSeed: seed(),
      adminSeed: admin ? seed() : null,
      deviceName: deviceName ?? this.#host.deviceName(),
    };
  }

  /** The admin key is kept only if the link granted its scope. */
  async #saveKeys(name: string, keys: PendingJoin, scopes: Context['scopes']): Promise<void> {
    await this.#store.saveKey(name, 'lease', seedOf(keys.leaseSeed));
    if (keys.adminSeed !== null && scopes.includes('admin')) {
      await this.#store.saveKey(name, 'admin', seedOf(keys.adminSeed));
    }
  }

  async #finish(name: string): Promise<void> {
    await this.#store.use(name);
    await this.#pending.remove(this.#joinId);
  }

  async #earlier(): Promise<Context | null> {
    // A context that cannot be read is another matter than this link.
    const contexts = await this.#store.list().catch(() => []);
    return contexts.find((context) => context.joinedWith === this.#joinId) ?? null;
  }

  async #requireFreeName(earlier: Context | null): Promise<void> {
    const { name } = this.#options;
    if (name === undefined || name === earlier?.name) return;
    if (!isContextName(name)) throw invalidName(name);
    if (earlier === null && !(await this.#store.has(name))) return;
    throw new BerthError('FILE_EXISTS', {
      message:
        earlier === null
          ? `There is already a context "${name}".`
          : `This link was already used for the context "${earlier.name}".`,
      hint: 'Choose another name, or `berth context use NAME`.',
    });
  }

  async #freeName(organisation: string): Promise<string> {
    const base = contextNameFrom(organisation, contextNameFrom(this.#link.host, 'berth'));
    for (let number = 1; ; number++) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (!(await this.#store.has(name))) return name;
    }
  }

  #signingKey(seedText: string): SigningKey {
    return this.#host.signingKey(seedOf(seedText));
  }
}

function seedOf(text: string): Uint8Array {
  const seed = decodeBase64Url(text);
  if (seed?.length === 32) return seed;
  throw new BerthError('FILE_UNREADABLE', { message: 'The keys kept for this join are damaged.' });
}

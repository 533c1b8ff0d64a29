import type { PathName } from '@berth/protocol';
import type { IdentityOptions } from './api.js';
import type { Context } from './context.js';
import type { DialPlan } from './dial.js';
import { BerthError } from './errors.js';
import type { Files, Host, SigningKey } from './host.js';
import { IdentityStore } from './identity-store.js';
import { serversOf } from './servers.js';
import { ContextTrust } from './trust.js';
import { WitnessFile } from './witness.js';

/** A joined context read from disk, with the key of one scope. */
export interface LoadedIdentity {
  readonly context: Context;
  readonly files: Files;
  readonly key: SigningKey;
}

/** @throws BerthError NOT_JOINED, NOT_ALLOWED (no admin key), FILE_UNREADABLE */
export async function loadIdentity(
  host: Host,
  options: Pick<IdentityOptions, 'context' | 'home'>,
  scope: PathName,
): Promise<LoadedIdentity> {
  const files = host.files(options.home);
  const store = new IdentityStore(files);
  const context = await store.read(options.context);
  const seed = await store.readKey(context.name, scope);
  if (seed === null) throw missingKey(context, scope);
  return { context, files, key: host.signingKey(seed) };
}

/** How to connect as that identity. @throws BerthError USAGE when an address is none, UNREACHABLE when DNS has none */
export async function planOf(
  host: Host,
  options: IdentityOptions,
  { context, files, key }: LoadedIdentity,
  path: PathName,
): Promise<{ plan: DialPlan; witness: WitnessFile }> {
  const witness = await WitnessFile.open(host, files, context.name);
  const plan: DialPlan = {
    host,
    addresses: await serversOf(host, options.servers, context, path),
    trust: new ContextTrust(host, files, context),
    identity: { path, serverKey: context.serverKey, key, client: options.client ?? {} },
    witness: () => witness.highest,
  };
  return { plan, witness };
}

function missingKey(context: Context, scope: PathName): BerthError {
  if (scope === 'lease') {
    return new BerthError('NOT_JOINED', {
      message: `The key of the context "${context.name}" is missing.`,
      hint: 'Join the server again with a new link.',
    });
  }
  return new BerthError('NOT_ALLOWED', {
    message: 'This device has no admin key.',
    hint: 'Join with a link made for an owner, an admin or a viewer.',
  });
}

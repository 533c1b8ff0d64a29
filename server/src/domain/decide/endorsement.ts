import { endorses } from '@berth/protocol';
import type { Change } from '../changes.js';
import { type Command, type Context, type Decision, deny } from '../commands.js';
import type { State } from '../state.js';

/**
 * A vendor changes its key: the key that owns products endorses another one, which owns them from now on (DESIGN 4). Only the owner may;
 * what it granted before stays valid while it lasts. The signature was verified.
 */
export function importEndorsement(
  state: State,
  command: Command<'importEndorsement'>,
  context: Context,
): Decision<'importEndorsement'> {
  if (context.diskLow) return deny('DISK_LOW');
  const { claims, token, by } = command;
  for (const known of state.tables.endorsement.values()) {
    if (known.token === token) return { ok: true, changes: [], outcome: { moved: [], changed: false } };
  }
  const covered = [...state.tables.product.values()].filter(({ product }) => endorses(claims, product));
  const others = covered.filter(({ vendor }) => vendor !== claims.iss && vendor !== claims.sub);
  const owned = covered.filter(({ vendor }) => vendor === claims.iss);
  const named = claims.products !== undefined;
  if ((named && others.length > 0) || covered.length === others.length) {
    const [first] = others;
    const message =
      first !== undefined && named
        ? `${first.product} does not belong to the key that endorses, but to another one.`
        : 'No product of this server belongs to the key that endorses.';
    return deny('VENDOR_MISMATCH', message, first === undefined ? {} : { vendor: first.vendor });
  }
  const endorsement = { claims, token, importedAtMs: context.now.wallMs, by: by.email };
  const changes: Change[] = [
    { type: 'endorsement.put', id: context.newId('v'), endorsement },
    ...owned.map((row): Change => ({ type: 'product.put', product: { ...row, vendor: claims.sub } })),
  ];
  return {
    ok: true,
    changes,
    outcome: { moved: owned.map(({ product }) => product).sort(), changed: true },
  };
}

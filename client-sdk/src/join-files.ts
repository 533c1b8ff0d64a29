import { encodeBase64Url, encodeUtf8, formatPublicKey, type JoinLink, lengthPrefixed } from '@berth/protocol';
import type { Files, Host } from './host.js';
import { object, orNull, parseJson, type ShapeOf, text } from './shape.js';

/** Keys made for a join that is not finished: base64url seeds, in a file only its owner can read. */
const pendingJoinShape = object({ leaseSeed: text, adminSeed: orNull(text), deviceName: text });
export type PendingJoin = ShapeOf<typeof pendingJoinShape>;

/** What a link is known by without keeping its token. */
export async function joinIdOf(host: Host, link: JoinLink): Promise<string> {
  const words = [formatPublicKey(link.serverKey), link.token].map(encodeUtf8);
  return encodeBase64Url(await host.sha256(lengthPrefixed(words)));
}

/**
 * The keys of a join under way, kept so that joining again with the same link after a crash or a lost reply uses the same
 * keys: to the server that is the same request (PROTOCOL, device.enrol).
 */
export class PendingJoins {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** What was kept for this link, or what `make` makes, on disk before it is returned. @throws BerthError FOLDER_UNWRITABLE */
  async keep(joinId: string, make: () => PendingJoin): Promise<PendingJoin> {
    const kept = await this.#files.read(pathOf(joinId));
    const known = kept === null ? undefined : parseJson(kept, pendingJoinShape);
    if (known !== undefined) return known;
    const made = make();
    const text = `${JSON.stringify(made)}\n`;
    if (await this.#files.create(pathOf(joinId), text)) return made;
    // Another process of this account was first, or what is there is damaged.
    const others = parseJson((await this.#files.read(pathOf(joinId))) ?? '', pendingJoinShape);
    if (others !== undefined) return others;
    await this.#files.write(pathOf(joinId), text);
    return made;
  }

  async remove(joinId: string): Promise<void> {
    await this.#files.remove(pathOf(joinId));
  }
}

// A context's name never begins with a dot.
function pathOf(joinId: string): string {
  return `state/.joins/${joinId}.json`;
}

import { listOf, object, oneOf, orNull, type ShapeOf, text } from './shape.js';

export const contextShape = object({
  name: text,
  /** `host:port`, tried in order. */
  servers: listOf(text),
  /** `host:port` of the admin path when it has an address of its own; `null`: as `servers`. */
  adminServers: orNull(listOf(text)),
  serverId: text,
  /** `ed25519:…`, pinned by the join link. */
  serverKey: text,
  /** The authorities to trust for TLS. */
  caPem: text,
  email: text,
  /** Id of the device on the server. */
  device: text,
  deviceName: text,
  scopes: listOf(oneOf('lease', 'admin')),
  organisation: text,
  /** Which link it was joined with (a hash), so that joining with it again is known; `null` when unknown. */
  joinedWith: orNull(text),
});

/** A joined server: who this device is there, and how to reach and recognise it. */
export type Context = ShapeOf<typeof contextShape>;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A context's name is also a file name. */
export function isContextName(name: string): boolean {
  return namePattern.test(name);
}

/** A name made of any text: lower case, dashes; `fallback` when nothing is left of it. */
export function contextNameFrom(words: string, fallback: string): string {
  const name = words
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return name === '' ? fallback : name;
}

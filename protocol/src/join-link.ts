import { formatPublicKey, parsePublicKey } from './keys.js';

/** What a join link says: where the server is, which key it must have, and the token that proves the invitation. */
export interface JoinLink {
  readonly host: string;
  readonly port: number;
  /** The 32 bytes of the server's Ed25519 public key: the client trusts nothing else of a server it has never met. */
  readonly serverKey: Uint8Array;
  readonly token: string;
}

export const DEFAULT_PORT = 7433;

const tokenPattern = /^[A-Za-z0-9_.-]{16,200}$/;

/** `berth://host:port/?key=ed25519:…&token=…`: one word, safe to paste into a shell between quotes. */
export function formatJoinLink(link: JoinLink): string {
  const host = link.host.includes(':') ? `[${link.host}]` : link.host;
  return `berth://${host}:${link.port}/?key=${formatPublicKey(link.serverKey)}&token=${link.token}`;
}

/** Reads a join link; `null` when any part is missing or malformed. White space around it is allowed. */
export function parseJoinLink(text: string): JoinLink | null {
  const match = /^berth:\/\/([^/?#\s@]+)\/?\?(\S+)$/.exec(text.trim());
  if (match === null) return null;
  const address = parseAddress(match[1]!);
  const parameters = new Map<string, string>();
  for (const pair of match[2]!.split('&')) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (parameters.has(name)) return null;
    parameters.set(
      name,
      at < 0
        ? ''
        : pair
            .slice(at + 1)
            .replaceAll('%3A', ':')
            .replaceAll('%3a', ':'),
    );
  }
  const serverKey = parsePublicKey(parameters.get('key') ?? '');
  const token = parameters.get('token') ?? '';
  if (address === null || serverKey === null || !tokenPattern.test(token)) return null;
  return { ...address, serverKey, token };
}

/** Reads `host`, `host:port` or `[v6]:port`; the port defaults to 7433. `null` when malformed. */
export function parseAddress(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return null;
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  return port >= 1 && port <= 65_535 ? { host: (match[1] ?? match[2])!, port } : null;
}

export function formatAddress(address: { host: string; port: number }): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

import type { IncomingMessage } from 'node:http';

export function splitUrl({ url = '' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/**
 * Browsers name the page a request comes from; other clients send no origin. Draft versions of WebSocket used another header, and `ws` still
 * speaks one of them.
 */
export function isOriginAllowed({ headers }: IncomingMessage, allowed: readonly string[]): boolean {
  const origins = [headers.origin, headers['sec-websocket-origin']].filter((origin) => origin !== undefined);
  return origins.every((origin) => typeof origin === 'string' && allowed.includes(origin));
}

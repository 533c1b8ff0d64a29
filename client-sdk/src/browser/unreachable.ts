import { BerthError } from '../errors.js';

/** A page is never told why a connection failed: the sentence names what it can be. */
export function unreachable(url: string, cause?: unknown): BerthError {
  const { host } = new URL(url);
  return new BerthError('UNREACHABLE', {
    message: `${host} cannot be reached from this page, or the browser does not trust its certificate, or it does not allow ${globalThis.location.origin}.`,
    hint: `Open https://${host}/livez in this browser; if that works, ask an admin to add the page's origin to web.origins.`,
    cause,
  });
}

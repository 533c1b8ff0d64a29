import { BerthError } from '../errors.js';
import type { Clock, Host } from '../host.js';
import { portableEd25519 } from '../portable/ed25519.js';
import { fetchAuthorityText } from './fetch-authority.js';
import { IndexedFiles } from './files.js';
import { PageIdentity } from './page-identity.js';
import { openBrowserSocket } from './socket.js';

/**
 * The SDK's outside world in a web page or a worker. It needs a secure context (https, or localhost), a server whose certificate the
 * browser trusts, and a server that allows the page's origin (`web.origins`).
 */
export function browserHost(): Host {
  if (!globalThis.isSecureContext) {
    throw new BerthError('USAGE', {
      message: 'A page that is not served over https has no cryptography.',
      hint: 'Serve the page over https, or from localhost.',
    });
  }
  page ??= new PageIdentity();
  const identity = page;
  return {
    clock: browserClock,
    process: identity,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))),
    // WebCrypto's Ed25519 is asynchronous: a seat's state would wait for it. One signature takes 10 ms, one verification 14.
    signingKey: (seed) => portableEd25519.signingKey(seed),
    verify: (publicKey, message, signature) => portableEd25519.verify(publicKey, message, signature),
    openSocket: openBrowserSocket,
    fetchUnchecked: fetchAuthorityText,
    files: (home) => new IndexedFiles(home ?? 'berth', identity.ready),
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    keepAlive: () => () => undefined,
    env: () => undefined,
    deviceName: () => `browser at ${globalThis.location.host || 'an unnamed page'}`.slice(0, 120),
  };
}

/** One for the page, however many hosts it makes. */
let page: PageIdentity | null = null;

const browserClock: Clock = {
  // Some browsers let it stand still while the computer sleeps: the wall clock covers that.
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  uptimeMs: () => null,
};

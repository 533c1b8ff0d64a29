import type { Host, SigningKey } from './host.js';
import type { Link } from './link.js';
import type { TokenCheck } from './token-check.js';

/** One device at one server: what every request is made with. */
export interface Session {
  readonly host: Host;
  readonly link: Link;
  /** The device's lease key: signs stops. */
  readonly key: SigningKey;
  readonly check: TokenCheck;
}

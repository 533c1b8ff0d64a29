import { limits } from '@berth/protocol';
import type { Connection } from './connection.js';
import type { Host } from './host.js';
import { newNonce } from './random.js';
import { timing } from './timing.js';

/** Shows a restored server what it signed for this device, as many as a frame holds at once. @throws BerthError */
export async function showTokens(
  connection: Connection,
  host: Host,
  tokens: readonly string[],
): Promise<void> {
  for (let at = 0; at < tokens.length; at += limits.tokensPerResume) {
    const some = tokens.slice(at, at + limits.tokensPerResume);
    const params = { leases: [], nonce: newNonce(host), tokens: some };
    await connection.call('session.resume', params, timing.answerMs);
  }
}

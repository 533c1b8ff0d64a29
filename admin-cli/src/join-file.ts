import type { Context } from './context.js';
import { clean } from './output.js';
import { quote } from './parse.js';
import { shellQuote } from './words.js';

/**
 * Before a node joins with the file that BERTH_JOIN_FILE names: whoever can read the link in it can join as well. It is a remark and no
 * refusal: a farm must not stand still for it, and secrets that are mounted often have a mode that nobody chose.
 */
export async function remarkJoinFile({ env, files, sdk, settings, stderr }: Context): Promise<void> {
  const path = env.BERTH_JOIN_FILE?.trim();
  if (!path || env.BERTH_JOIN?.trim() || settings.contextName !== undefined) return;
  if ((await sdk.identities(settings.home).current()) !== null) return;
  const mode = await files.mode(path);
  if (mode === null || (mode & 0o077) === 0) return;
  const octal = mode.toString(8).padStart(4, '0');
  stderr.write(
    `${clean(`berth: the join link in ${quote(path)} can be read by others (mode ${octal}): chmod 600 ${shellQuote(path)}`)}\n`,
  );
}

import { canonicalName } from './email.js';

/**
 * A login name of a workstation as it is kept: `STUDIO\lgt07`, `lgt07` and `LGT07` are one name, since domains and capitals differ from system
 * to system. `null` when it is none: empty, with an `@` (that is an e-mail address) or with characters no system allows in it.
 */
export function canonicalAlias(text: string): string | null {
  const name = text.trim().replace(/^[^\\]*\\/, '');
  if (canonicalName(name) === null || name.trim() === '' || /[@\\/:"[\]|<>?*,;]/.test(name)) return null;
  return name.trim().toLowerCase();
}

import { borrowJson } from '../borrows.js';
import { defineCommand } from '../command.js';
import { Failure, toFailure } from '../fail.js';
import { readText } from '../files.js';
import { offlineFile } from '../offline.js';
import { quote } from '../parse.js';
import { vendorKeyOption, vendorKeysOf } from '../vendor-keys.js';
import { momentWords, seatWords } from '../words.js';

export const borrowInstall = defineCommand({
  usage: 'install <file>',
  describe: 'On the machine that asked: install what an admin granted in a file',
  positionals: { file: { type: 'string', demandOption: true, describe: 'what `berth borrow grant` wrote' } },
  options: vendorKeyOption,
  examples: [
    ['berth borrow install grant.json --vendor-key vendor.pub', 'verified up to the key of the vendor'],
  ],
  more: 'Needs no server. Each grant is for one request of one machine: installed again it changes nothing, and after it was returned it is refused.',
  run: async (context, args) => {
    const vendorKeys = await vendorKeysOf(context, args['vendor-key']);
    const file = await readText(context, args.file);
    requireGrant(file, args.file);
    const { home } = context.settings;
    const borrow = await context.sdk.installBorrow({ file, home, vendorKeys }).catch((error: unknown) => {
      throw naming(args.file, error);
    });
    const until = momentWords(borrow.expiresAtMs, context.nowMs());
    const note = `Borrowed ${seatWords(borrow.seats)} of ${borrow.product}; it ends ${until}. Works without any server.`;
    return { document: { borrow: borrowJson(borrow) }, text: borrow.id, notes: [note] };
  },
});

function requireGrant(text: string, path: string): void {
  const { berth } = offlineFile(text, path);
  if (berth === 'borrow-grant') return;
  const next =
    berth === 'borrow-request'
      ? 'An admin grants it first: `berth borrow grant FILE --out GRANT`. What that writes is installed here.'
      : 'An admin takes it back: `berth borrow accept-return FILE`.';
  const what = berth === 'borrow-request' ? 'request' : 'return';
  throw new Failure('BORROW_FILE_INVALID', { message: `${quote(path)} is a ${what}, not a grant.`, next });
}

/** What is wrong with the file is said of the file: somebody carries several of them. */
function naming(path: string, error: unknown): Failure {
  const { code, message, next, exitCode, detail } = toFailure(error);
  const ofFile = code === 'GRANT_FOREIGN' || code === 'TOKEN_INVALID' || code === 'BORROW_FILE_INVALID';
  const named = ofFile ? `${quote(path)}: ${message}` : message;
  return new Failure(code, { message: named, next, exitCode, detail });
}

import { type EndorsementClaims, formatPublicKey, limits, signToken } from '@berth/protocol';
import { defineCommand } from '../command.js';
import { publicKeyOf, signWith } from '../ed25519.js';
import { Failure, usage } from '../fail.js';
import { writeText } from '../files.js';
import { isInlineSecret, readPublicKey, readSecretKey } from '../keys.js';
import { parseProduct } from '../parse.js';

export const vendorEndorse = defineCommand({
  usage: 'endorse',
  describe: 'Sign a new vendor key with the old one: the new one grants from then on',
  options: {
    key: { type: 'string', demandOption: true, describe: 'the old key that signs: its file vendor.key' },
    new: { type: 'string', demandOption: true, describe: 'the new public key, as text or file (vendor.pub)' },
    product: {
      type: 'string',
      array: true,
      describe: 'only this product; may be given several times. Left out: every product of the old key',
    },
    out: { type: 'string', default: '-', describe: 'file to write; - for stdout' },
    force: { type: 'boolean', describe: 'overwrite --out' },
  },
  examples: [
    [
      'berth vendor endorse --key old/vendor.key --new new/vendor.pub --out rotation.endorsement',
      'send it to every site: `berth entitlement import rotation.endorsement`',
    ],
    [
      'berth vendor endorse --key old/vendor.key --new ed25519:… --product render',
      'for one product, to stdout',
    ],
  ],
  more: `A server that has imported it takes entitlements for these products from the new key only; those the old key signed stay valid while they last. Plugins that pin only the old key go on working: the server shows them the endorsement. Up to ${limits.endorsementChain} changes of key lead back to a pinned one.`,
  run: async (context, args) => {
    const seed = await readSecretKey(context, args.key, '--key');
    const successor = await readPublicKey(context, args.new, '--new');
    const vendor = formatPublicKey(publicKeyOf(seed));
    if (vendor === successor)
      throw new Failure('KEY_INVALID', {
        message: '--new is the key that signs: a key does not endorse itself.',
      });
    const products = args.product?.map((product) => parseProduct(product, '--product'));
    if (products !== undefined && products.length > limits.endorsedProducts)
      throw usage(
        `More than ${limits.endorsedProducts} products: make several endorsements, or leave --product out.`,
      );
    const claims: EndorsementClaims = {
      iss: vendor,
      sub: successor,
      ...(products === undefined ? {} : { products: [...new Set(products)] }),
      iat: Math.floor(context.nowMs() / 1000),
    };
    const token = signToken('endorsement', claims, signWith(seed));
    const file = args.out === '-' ? null : args.out;
    if (file !== null) {
      await writeText(context, file, `${token}\n`, { exclusive: args.force !== true });
    }
    const what = products === undefined ? 'every product of the old key' : products.join(', ');
    return {
      document: { vendor, successor, products: claims.products ?? null, file, token, claims },
      text: file === null ? token : '',
      notes: [
        ...(isInlineSecret(args.key)
          ? [
              'Warning: a secret key on the command line can be read by other users of this computer; give a file.',
            ]
          : []),
        ...(file === null ? [] : [`Wrote ${file}: ${successor} is endorsed for ${what}.`]),
      ],
    };
  },
});

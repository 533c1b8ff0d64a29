import { spawnSync } from 'node:child_process';
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { join } from 'node:path';
import { verifyStrictly } from '@berth/cli/ed25519';
import { nativeEd25519, portableEd25519 } from '@berth/client/internal';
import { strictly, type Verify } from '@berth/protocol';
import { nativeVerify } from '@berth/server/ed25519';
import nacl from 'tweetnacl';
import type { EdCase } from './ed25519-cases.js';
import { root } from './root.js';

/** As both ends and both languages use them: all must give the verdict of PROTOCOL 4.1. */
export const products: Readonly<Record<string, Verify>> = {
  'server (node:crypto)': nativeVerify,
  'berth vendor (node:crypto)': verifyStrictly,
  'SDK (node:crypto)': strictly((...given) => nativeEd25519.verify(...given)),
  'SDK (tweetnacl)': strictly((...given) => portableEd25519.verify(...given)),
};

/** As the libraries come, for the table. */
export const libraries: Readonly<Record<string, Verify>> = {
  'node:crypto alone': (publicKey, message, signature) => {
    const x = Buffer.from(publicKey).toString('base64url');
    try {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return nodeVerify(null, message, key, signature);
    } catch {
      return false;
    }
  },
  'tweetnacl alone': (publicKey, message, signature) =>
    publicKey.length === 32 &&
    signature.length === 64 &&
    nacl.sign.detached.verify(message, signature, publicKey),
};

const program = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import berth
print(json.dumps([berth.ed25519_verify(*map(bytes.fromhex, row)) for row in json.load(sys.stdin)]))
`;

/** What examples/python/berth.py says of each; it was written from PROTOCOL.md alone. */
export function pythonVerdicts(cases: readonly EdCase[]): boolean[] {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const input = JSON.stringify(
    cases.map(({ publicKey, message, signature }) => [hex(publicKey), hex(message), hex(signature)]),
  );
  const folder = join(root, 'examples', 'python');
  const ran = spawnSync('python3', ['-c', program, folder], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (ran.status !== 0) throw new Error(`python3: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as boolean[];
}

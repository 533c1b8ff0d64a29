import { base64Url, headers, namedKeys } from './keys.js';
import { tampered } from './tokens-tampered.js';
import { valid } from './tokens-valid.js';

export const tokenVectors = () => ({
  note: 'Tokens with the verdict of a strict parser and verifier (PROTOCOL 4). `key` is the key to verify with; the fault SIGNATURE means that the form is right and the signature is not. The seeds are public: never trust these keys.',
  keys: Object.fromEntries(
    Object.entries(namedKeys).map(([name, key]) => [
      name,
      { seed: `ed25519-secret:${base64Url(key.seed)}`, public: key.text },
    ]),
  ),
  headers,
  valid,
  tampered,
});

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';

// A client of the lease path over plain HTTPS that shares no code with Berth: node's https and crypto, and what PROTOCOL.md section 13 says.

export interface HttpIdentity {
  readonly deviceKey: string;
  readonly secret: KeyObject;
  readonly serverKey: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // What a test expects in it, it says itself.
  readonly body: ReturnType<typeof JSON.parse>;
  /** Whether the pinned server signed it as the answer to this request. */
  readonly genuine: boolean;
}

/** What a dishonest client changes: in what is signed, or in what is sent after that. */
export interface Tampering {
  readonly signed?: Partial<Fields>;
  readonly sent?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly body?: string;
  readonly method?: string;
}

interface Fields {
  readonly context: string;
  readonly method: string;
  readonly path: string;
  readonly serverKey: string;
  readonly deviceKey: string;
  readonly challenge: string;
  readonly nonce: string;
}

/** One request as it goes over the wire: it can be sent twice. */
export interface Wire {
  readonly fields: Fields;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The lease key of a folder that `berth join` has written, and the server it pins. */
export async function identityIn(home: string): Promise<HttpIdentity> {
  const name = (await readFile(join(home, 'config/current'), 'utf8')).trim();
  const context = JSON.parse(await readFile(join(home, `config/contexts/${name}.json`), 'utf8'));
  const text = (await readFile(join(home, `state/${name}/lease.key`), 'utf8')).trim();
  const seed = Buffer.from(text.slice('ed25519-secret:'.length), 'base64url');
  const der = Buffer.concat([PKCS8, seed]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(secret).export({ format: 'jwk' });
  return { serverKey: context.serverKey, deviceKey: `ed25519:${x}`, secret };
}

export function newIdentity(serverKey: string): HttpIdentity {
  // Not generateKeyPairSync: device-keys.ts says why.
  const secret = createPrivateKey({
    key: Buffer.concat([PKCS8, randomBytes(32)]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x } = createPublicKey(secret).export({ format: 'jwk' });
  return { serverKey, secret, deviceKey: `ed25519:${x}` };
}

export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}

export class HttpsClient {
  challenge = '';
  readonly #address: { readonly host: string; readonly port: number; readonly localAddress?: string };
  readonly #identity: HttpIdentity;

  constructor(port: number, identity: HttpIdentity, localAddress?: string) {
    this.#address = { host: '127.0.0.1', port, ...(localAddress === undefined ? {} : { localAddress }) };
    this.#identity = identity;
  }

  /** Asks as section 13 says it: with a stale challenge it signs once more. */
  async ask(path: string, params: object): Promise<HttpAnswer> {
    if (this.challenge === '') await this.renewChallenge();
    const answer = await this.send(this.wire(path, params));
    if (!answer.genuine || answer.body?.code !== 'CHALLENGE_STALE') return answer;
    return this.send(this.wire(path, params));
  }

  async renewChallenge(): Promise<void> {
    const { text } = await this.#exchange('GET', '/v1/challenge', {}, '');
    this.challenge = JSON.parse(text).nonce;
  }

  wire(path: string, params: object | string, tampering: Tampering = {}): Wire {
    const body = typeof params === 'string' ? params : JSON.stringify(params);
    const { deviceKey, serverKey, secret } = this.#identity;
    const fields = {
      ...{ context: 'berth.v1 device sends request', method: 'POST', path, serverKey, deviceKey },
      ...{ challenge: this.challenge, nonce: newNonce(), ...tampering.signed },
    };
    const headers = {
      'Content-Type': 'application/json',
      'Berth-Device': fields.deviceKey,
      'Berth-Challenge': fields.challenge,
      'Berth-Nonce': fields.nonce,
      'Berth-Signature': sign(null, bytesOf(fields, body), secret).toString('base64url'),
      ...tampering.sent,
    };
    const { method = 'POST' } = tampering;
    return { fields, method, path: tampering.path ?? path, headers, body: tampering.body ?? body };
  }

  async send({ fields, method, path, headers, body }: Wire): Promise<HttpAnswer> {
    const answer = await this.#exchange(method, path, headers, body);
    const sent = { ...fields, context: 'berth.v1 server answers request', path };
    const tail = [Buffer.from(String(answer.status)), sha256(answer.text)];
    const bytes = Buffer.concat([bytesOf(sent, body), ...tail.map(prefixed)]);
    const genuine = isSigned(
      this.#identity.serverKey,
      bytes,
      String(answer.headers['berth-signature'] ?? ''),
    );
    if (genuine) this.challenge = String(answer.headers['berth-challenge']);
    return { ...answer, body: parse(answer.text), genuine };
  }

  #exchange(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<Pick<HttpAnswer, 'status' | 'headers' | 'text'>> {
    return new Promise((resolve, reject) => {
      const options = { ...this.#address, method, path, headers, agent: false, rejectUnauthorized: false };
      const sending = httpsRequest(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      sending.on('error', reject);
      sending.end(body);
    });
  }
}

/** The eight fields of 13.2, each preceded by its length. */
function bytesOf(fields: Fields, body: string): Buffer {
  const { context, method, path, serverKey, deviceKey, challenge, nonce } = fields;
  const texts = [context, method, path, serverKey, deviceKey, challenge, nonce].map((text) =>
    Buffer.from(text),
  );
  return Buffer.concat([...texts, sha256(body)].map(prefixed));
}

function prefixed(part: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return Buffer.concat([length, part]);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function isSigned(keyText: string, bytes: Buffer, signature: string): boolean {
  const key = Buffer.concat([SPKI, Buffer.from(keyText.slice('ed25519:'.length), 'base64url')]);
  return verify(null, bytes, { key, format: 'der', type: 'spki' }, Buffer.from(signature, 'base64url'));
}

function parse(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

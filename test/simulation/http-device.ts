import { hash } from 'node:crypto';
import { BerthError, type SigningKey } from '@berth/client';
import {
  CHALLENGE_PATH,
  encodeBase64Url,
  formatPublicKey,
  type HttpPath,
  type HttpTranscript,
  httpRequests,
  isSignedAnswer,
  parseSecretKey,
  requestHeaders,
  signHttpRequest,
  signToken,
} from '@berth/protocol';
import { Observer } from '../auditor/observer.js';
import type { HostParts } from './sim-host.js';
import { exchange, type HttpAnswer } from './sim-http.js';

/** A refusal, or what was asked for. */
export interface HttpSaid {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> & { readonly code?: string };
}

/** How often one request is sent before nobody hopes for an answer any more. */
const TRIES = 5;
const PAUSE_MS = 4_000;

/** A device that asks by signed requests alone (PROTOCOL 13), as a shell script would: no session, no SDK. */
export class HttpDevice {
  readonly #parts: HostParts;
  readonly #key: SigningKey;
  readonly #keyText: string;
  readonly #serverKey: string;
  readonly #observer: Observer;
  #challenge: string | null = null;
  #asked = 0;

  private constructor(parts: HostParts, key: SigningKey, serverKey: string) {
    this.#parts = parts;
    this.#key = key;
    this.#keyText = formatPublicKey(key.publicKey);
    this.#serverKey = serverKey;
    this.#observer = new Observer(parts.record, () => parts.time.nowMs);
    parts.record({ event: 'session', device: this.#keyText });
  }

  /** With the key that a join has left on the computer. */
  static async of(parts: HostParts): Promise<HttpDevice> {
    const { files, crypto } = parts;
    const name = (await files.read('config/current'))?.trim();
    const context = JSON.parse((await files.read(`config/contexts/${name}.json`)) ?? '{}');
    const seed = parseSecretKey((await files.read(`state/${name}/lease.key`)) ?? '');
    if (seed === null) throw new Error(`${parts.processId} has not joined`);
    return new HttpDevice(parts, crypto.signingKey(seed), context.serverKey);
  }

  newKey(): string {
    return encodeBase64Url(this.#parts.dice.bytes(18));
  }

  newNonce(): string {
    return encodeBase64Url(this.#parts.dice.bytes(16));
  }

  stop(jti: string): string {
    const iat = Math.floor(this.#parts.clock.wallMs() / 1000);
    return signToken('stop', { jti, dev: this.#keyText, iat }, (message) => this.#key.sign(message));
  }

  /** Asks until the server has answered. @returns null when it never did */
  async ask(path: HttpPath, params: Readonly<Record<string, unknown>>): Promise<HttpSaid | null> {
    const { time, owner } = this.#parts;
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        const said = await this.#once(path, params);
        if (said?.body.code === 'CHALLENGE_STALE') continue;
        if (said !== null && !again.has(said.body.code ?? '')) return said;
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
      }
      await time.sleep(PAUSE_MS, owner);
    }
    return null;
  }

  /** @returns null when what came is not the server's word */
  async #once(path: HttpPath, params: Readonly<Record<string, unknown>>): Promise<HttpSaid | null> {
    const { dice, crypto, passed } = this.#parts;
    this.#challenge ??= await this.#newChallenge();
    const body = JSON.stringify(params);
    const transcript: HttpTranscript = {
      method: 'POST',
      path,
      serverKey: this.#serverKey,
      deviceKey: this.#keyText,
      challenge: this.#challenge,
      nonce: encodeBase64Url(dice.bytes(16)),
      bodySha256: sha256(body),
    };
    const signed = signHttpRequest(transcript, (message) => this.#key.sign(message));
    const headers = Object.fromEntries(
      Object.entries(signed).map(([name, text]) => [name.toLowerCase(), text]),
    );
    const id = ++this.#asked;
    passed('>', body);
    this.#observer.sent(JSON.stringify({ id, method: httpRequests[path].method, params }));
    const answer = await exchange(this.#parts, { method: 'POST', path, headers, body });
    passed('<', answer.body);
    const signature = answer.headers[requestHeaders.signature.toLowerCase()] ?? '';
    const given = { status: answer.status, bodySha256: sha256(answer.body), signature };
    if (!isSignedAnswer(transcript, given, crypto.verify)) return null;
    this.#challenge = answer.headers[requestHeaders.challenge.toLowerCase()] ?? null;
    return this.#heard(id, answer);
  }

  #heard(id: number, { status, body: text }: HttpAnswer): HttpSaid {
    const body = JSON.parse(text) as HttpSaid['body'];
    this.#observer.heard(
      JSON.stringify(status === 200 ? { id, result: body } : { id, error: { data: body } }),
    );
    return { status, body };
  }

  async #newChallenge(): Promise<string> {
    const { body } = await exchange(this.#parts, {
      method: 'GET',
      path: CHALLENGE_PATH,
      headers: {},
      body: '',
    });
    return (JSON.parse(body) as { nonce: string }).nonce;
  }
}

/** Nothing was decided: the same is asked again in a moment, with the next challenge at once. */
const again: ReadonlySet<string> = new Set(['REQUEST_REPLAYED', 'RATE_LIMITED', 'BUSY', 'DRAINING']);

function sha256(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}

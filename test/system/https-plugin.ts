import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Happening } from '../auditor/history.js';
import { type HttpAnswer, HttpsClient, identityIn, newNonce } from './https-client.js';
import type { Person, Site } from './site.js';

// A plugin without WebSockets: checks out, renews and releases by signed requests, and writes down for the auditor what it says and hears.

export class HttpsPlugin {
  readonly client: HttpsClient;
  /** The tokens it holds, by lease. */
  readonly tokens = new Map<string, string>();
  readonly #write: (happening: Happening) => void;

  private constructor(client: HttpsClient, device: string, file: string, name: string) {
    this.client = client;
    this.#write = (happening) => {
      const moment = { t: nowMs(), wallMs: Date.now(), process: name };
      appendFileSync(file, `${JSON.stringify({ ...moment, ...happening })}\n`);
    };
    this.#write({ event: 'session', device });
  }

  /** @param localAddress where its requests come from */
  static async of(site: Site, who: Person, name = 'https', localAddress?: string): Promise<HttpsPlugin> {
    const identity = await identityIn(who.home);
    const client = new HttpsClient(site.port, identity, localAddress);
    return new HttpsPlugin(client, identity.deviceKey, join(site.logs, `${name}.jsonl`), name);
  }

  /** @param params that differ: a retry gives the `key` and the `nonce` of the first time */
  checkout(product: string, seats = 1, params: object = {}): Promise<HttpAnswer> {
    const wants = [{ products: [product], seats }];
    return this.#ask('lease.checkout', '/v1/checkout', {
      key: newKey(),
      nonce: newNonce(),
      wants,
      ...params,
    });
  }

  /** @param tokens what it shows a server that was restored (PROTOCOL 13.5) */
  renew(
    leases: readonly string[] = [...this.tokens.keys()],
    tokens?: readonly string[],
  ): Promise<HttpAnswer> {
    const shown = tokens === undefined ? {} : { tokens };
    return this.#ask('lease.renew', '/v1/renew', { leases, nonce: newNonce(), ...shown });
  }

  async release(leases: readonly string[] = [...this.tokens.keys()]): Promise<HttpAnswer> {
    this.#write({ event: 'released', leases, stopped: false });
    const answer = await this.#ask('lease.release', '/v1/release', { key: newKey(), leases });
    if (answer.status === 200) this.#write({ event: 'confirmed', leases });
    return answer;
  }

  async #ask(
    method: string,
    path: string,
    params: { readonly key?: string; readonly nonce?: string; readonly [name: string]: unknown },
  ): Promise<HttpAnswer> {
    const { key, nonce } = params;
    const known = { ...(key === undefined ? {} : { key }), ...(nonce === undefined ? {} : { nonce }) };
    this.#write({ event: 'request', method, ...known });
    const answer = await this.client.ask(path, params);
    if (!answer.genuine)
      throw new Error(`An answer the server did not sign: ${answer.status} ${answer.text}`);
    if (answer.status === 200) this.#answered(method, key, answer.body);
    else this.#write({ event: 'denied', method, code: answer.body.code, data: answer.body });
    return answer;
  }

  #answered(method: string, key: string | undefined, body: HttpAnswer['body']): void {
    if (body.leases === undefined) return;
    const rows: (string | { lease: string; token?: string })[] = body.leases;
    const leases = rows.flatMap((row) => (typeof row === 'string' ? row : (row.token ?? [])));
    for (const token of leases) this.tokens.set(claimsOf(token).jti, token);
    for (const row of rows)
      if (typeof row === 'object' && row.token === undefined) this.tokens.delete(row.lease);
    const { entitlements } = body;
    this.#write({ event: 'answer', method, ...(key === undefined ? {} : { key }), leases, entitlements });
  }
}

export function claimsOf(token: string): {
  jti: string;
  seat: string;
  n: number;
  nonce: string;
  dev: string;
} {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

export function newKey(): string {
  return `k-${newNonce()}`;
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

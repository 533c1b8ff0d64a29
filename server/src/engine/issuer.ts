import { type ClaimsOf, type TokenType, tokenText } from '@berth/protocol';

/** Signs with the server's Ed25519 key: 64 bytes. Injected, so that a simulator can sign fast and deterministically. */
export type Signer = (message: Uint8Array) => Uint8Array;

/** Signs many texts on another thread. @returns of each its signature as base64url, in order. A thread that cannot sign ends the process. */
export type BatchSigner = (texts: readonly string[]) => Promise<readonly string[]>;

/** So few are signed at once, on this thread: asking another costs more than they do (decision 0016). */
const SIGNED_HERE = 2;
/** So many are given to the other thread together: the first answers leave while it signs the next ones. */
const SIGNED_TOGETHER = 16;

/** A text that waits for its signature. */
interface Unsigned {
  readonly text: string;
  readonly signed: (token: string) => void;
}

/** Signs what was committed. Stored claims signed again give the same bytes (I7): Ed25519 is deterministic. */
export class Issuer {
  readonly #sign: Signer;
  readonly #signMany: BatchSigner | null;
  #turn: Unsigned[] = [];

  /** @param signMany left out: everything is signed at once, on this thread */
  constructor(sign: Signer, signMany: BatchSigner | null = null) {
    this.#sign = sign;
    this.#signMany = signMany;
  }

  issue<T extends TokenType>(type: T, claims: ClaimsOf<T>): string {
    return this.#token(tokenText(type, claims, encode));
  }

  /** One token for each, in order: with everything else that is asked for in this turn, on another thread if there is one: for renewals (decision 0016). */
  issueAll<T extends TokenType>(type: T, all: readonly ClaimsOf<T>[]): string[] | Promise<string[]> {
    const texts = all.map((claims) => tokenText(type, claims, encode));
    if (this.#signMany === null) return texts.map((text) => this.#token(text));
    return Promise.all(texts.map((text) => this.#soon(text)));
  }

  #token(text: string): string {
    return `${text}.${Buffer.from(this.#sign(Buffer.from(text, 'latin1'))).toString('base64url')}`;
  }

  #soon(text: string): Promise<string> {
    return new Promise((signed) => {
      // After all that this turn has woken: everybody whose renewal was read or became durable in it.
      if (this.#turn.length === 0) process.nextTick(() => this.#signTurn());
      this.#turn.push({ text, signed });
    });
  }

  #signTurn(): void {
    const turn = this.#turn;
    this.#turn = [];
    if (turn.length <= SIGNED_HERE) {
      for (const { text, signed } of turn) signed(this.#token(text));
      return;
    }
    for (let at = 0; at < turn.length; at += SIGNED_TOGETHER)
      void this.#signElsewhere(turn.slice(at, at + SIGNED_TOGETHER));
  }

  async #signElsewhere(batch: readonly Unsigned[]): Promise<void> {
    const signatures = await this.#signMany!(batch.map(({ text }) => text));
    for (const [at, { text, signed }] of batch.entries()) signed(`${text}.${signatures[at]!}`);
  }
}

/** Node's own takes half the time of the protocol's, which runs everywhere. */
function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

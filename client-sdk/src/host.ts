// Everything the SDK needs from outside (DESIGN 1: clock, randomness, socket, file system and signer are injected).
// `node/host.ts` is the one for Node, `browser/host.ts` the one for web pages; tests bring their own.

/** The clocks of the computer. Read often; they must cost nothing. */
export interface Clock {
  /** Monotonic, ms. May stand still while the computer sleeps. */
  monoMs(): number;
  /** Wall clock, ms since 1970. */
  wallMs(): number;
  /** Time since the computer started, sleep included, ms; `null` where the host cannot tell. */
  uptimeMs(): number | null;
}

/** A private Ed25519 key. The seed stays behind `sign`. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** @returns 64 bytes of Ed25519 over the message. */
  sign(message: Uint8Array): Uint8Array;
}

/** What a socket tells its owner. Set before it opens, so that no early frame is missed. */
export interface SocketEvents {
  /** A text frame arrived. */
  onMessage(text: string): void;
  /** Exactly once, whoever closed it. @param code WebSocket close code; 1006 when the connection just broke. */
  onClose(code: number): void;
}

/** How to open a socket. */
export interface SocketOptions {
  readonly subprotocol: string;
  /** The only authorities to trust, PEM. Left out: what the host trusts. */
  readonly caPem?: string | undefined;
  /** How long opening may take, ms. */
  readonly timeoutMs: number;
  /** Longest frame to accept, bytes. */
  readonly maxFrameBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** An open WebSocket. */
export interface Socket {
  /** Sends a text frame. What fails shows as `onClose`. */
  send(text: string): void;
  /** Closes at once; `onClose` follows. */
  close(): void;
  /** The TLS channel binding (transcript.ts, BINDING_LABEL), or `null` where the host cannot export it. */
  exporter(): Uint8Array | null;
}

/**
 * Small durable text files under two roots: `config/…` and `state/…`. Folders are made as needed, readable by their owner
 * only.
 */
export interface Files {
  /** `null` when there is no such file. @throws BerthError FILE_UNREADABLE */
  read(path: string): Promise<string | null>;
  /**
   * Replaces the file as a whole and returns when it is on disk: readers see the old text or the new. With `outlives: 'process'` it need
   * not survive a loss of power, only the end of this process. @throws BerthError FOLDER_UNWRITABLE
   */
  write(path: string, text: string, outlives?: 'power' | 'process'): Promise<void>;
  /** Makes the file only if there is none. @returns false when there is one already. @throws BerthError FOLDER_UNWRITABLE */
  create(path: string, text: string): Promise<boolean>;
  /** Removes a file or a folder with what is in it; nothing there is fine. @throws BerthError FOLDER_UNWRITABLE */
  remove(path: string): Promise<void>;
  /** The names in a folder, sorted; none when there is no such folder. @throws BerthError FILE_UNREADABLE */
  list(folder: string): Promise<string[]>;
  /** How a person would name the path. */
  locate(path: string): string;
}

/** Stands for this process in files that several processes share. */
export interface ProcessIdentity {
  /** Never the same for two processes, even when the system gives a process number again. */
  readonly id: string;
  /** Shown to admins; `null` where there is none. */
  readonly pid: number | null;
  /** Whether the process of that id still runs; `null` when it is not certain (another computer, an earlier start of this one). */
  isAlive(id: string): boolean | null | Promise<boolean | null>;
}

/** One SRV record of DNS (RFC 2782). */
export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Everything the SDK needs from outside. Bring your own to run it somewhere new. */
export interface Host {
  readonly clock: Clock;
  readonly process: ProcessIdentity;
  /** Bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
  /** SHA-256. @returns 32 bytes. */
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** The Ed25519 key of a seed of 32 bytes. */
  signingKey(seed: Uint8Array): SigningKey;
  /** Ed25519; the SDK calls it through the protocol's `strictly`. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** @throws BerthError UNREACHABLE, CERTIFICATE_UNTRUSTED, TIMEOUT or CANCELLED */
  openSocket(url: string, options: SocketOptions, events: SocketEvents): Promise<Socket>;
  /**
   * GET without checking the certificate: only for `/ca`, whose answer proves itself. @returns the body of a 200.
   * @throws BerthError UNREACHABLE, TIMEOUT or CANCELLED
   */
  fetchUnchecked(url: string, timeoutMs: number, signal?: AbortSignal): Promise<string>;
  /** SRV records of DNS; left out where the host has no DNS (a browser). Rejects when there are none. */
  resolveService?(name: string): Promise<readonly ServiceRecord[]>;
  /** Where contexts, keys and borrows are kept. @param home a folder instead of the default ones, as BERTH_HOME. */
  files(home: string | undefined): Files;
  /** Calls back once. A timer alone does not keep the process alive: see `keepAlive`. */
  setTimer(callback: () => void, delayMs: number): CancelTimer;
  /** Keeps the process alive until the returned function is called. A host that has no process does nothing. */
  keepAlive(): () => void;
  /** A setting from the environment, such as BERTH_SERVERS. */
  env(name: string): string | undefined;
  /** A text file of the computer, by its path; left out by a host that has none. @throws BerthError FILE_UNREADABLE */
  readText?(path: string): Promise<string>;
  /** What the computer calls itself. */
  deviceName(): string;
}

/** Cancels a timer; one that has fired or was cancelled is left alone. */
export type CancelTimer = () => void;

import type { Sdk } from './sdk.js';

/** Everything a command may touch of the outside world. A command does no I/O but through this (STYLE, "one file per command"). */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly files: Files;
  readonly network: Network;
  /** Of Node, without the `v`. */
  readonly nodeVersion: string;
  readonly processes: Processes;
  readonly sdk: Sdk;
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly settings: Settings;
  readonly progress: Progress;
}

/** What a command is doing, for a person who waits at a terminal. */
export interface Progress {
  /** @param doing as in `berth: importing a.ent (3 of 10), 4 s` */
  say(doing: string): void;
}

/** What a process is before its words were read. */
export type Host = Omit<Context, 'settings' | 'progress'>;

/** What the options that every command has say. */
export interface Settings {
  /** stdout is one JSON document, always an object. */
  readonly json: boolean;
  /** Do not ask before removing or revoking. */
  readonly yes: boolean;
  /** Never ask anything. */
  readonly noInput: boolean;
  /** Name of the joined context to use; the current one when undefined. */
  readonly contextName: string | undefined;
  /** Folder of contexts, keys and borrows; BERTH_HOME or the XDG folders when undefined. */
  readonly home: string | undefined;
  /** What follows `--`: the command of `berth run`. */
  readonly afterDashes: readonly string[];
}

export interface Input {
  readonly isTty: boolean;
  /** Everything until end of file, as text. */
  readAll(): Promise<string>;
  /** Shows a question on stderr and reads one line; rejects when `signal` is aborted. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** The same, and what is typed is not shown. */
  askHidden(question: string, signal: AbortSignal): Promise<string>;
}

export interface Output {
  readonly isTty: boolean;
  /** Width of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
  readonly colours: boolean;
  /** What was written last did not arrive, since nobody reads: for whoever writes without an end. */
  readonly readerGone: boolean;
  /** Returns when all of it has been handed to the operating system. A reader that went away is no error. @throws OutputLost of stdout only */
  write(text: string): void;
}

/** A file that is written piece by piece. */
export interface Sink {
  write(text: string | Uint8Array): Promise<void>;
  /** Durable from then on. */
  close(): Promise<void>;
}

export interface Files {
  read(path: string): Promise<string>;
  /** The bytes of a file of any size, in order. Rejects like `read`. */
  chunks(path: string): AsyncIterable<Uint8Array>;
  /** Begins a file. @param mode permission bits. @param exclusive fails with EEXIST when the file exists. */
  create(path: string, mode: number, exclusive: boolean): Promise<Sink>;
  /** Replaces what is there. @param mode permission bits. */
  write(path: string, text: string, mode: number): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes a finished file durable and gives it its name, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** As `rename`, and fails with EEXIST when there is such a file: it is not replaced. */
  name(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Permission bits; `null` where the file is not there or the system has none of that kind. */
  mode(path: string): Promise<number | null>;
  /** Bytes that are left for this user where the path is; `null` where the system does not say. */
  freeBytes(path: string): Promise<number | null>;
  /** Makes a folder and those above it, readable by its owner only; an existing one is left as it is. */
  makeFolder(path: string): Promise<void>;
}

/** What is known of a server before anything is asked of it as a client: only `berth doctor` looks there. */
export interface Network {
  /** The addresses of a host name. Rejects with the reason. */
  resolve(host: string): Promise<string[]>;
  /** The servers under a name of DNS, by priority. Rejects with the reason. */
  services(name: string): Promise<{ readonly host: string; readonly port: number }[]>;
  /** Connects and ends the connection. Rejects with the reason. */
  reach(server: Server, signal: AbortSignal): Promise<void>;
  /** The certificate that a server shows, trusted or not. Rejects where TLS 1.3 is not spoken. */
  certificate(server: Server, caPem: string, signal: AbortSignal): Promise<Certificate>;
  /** GET over TLS that leads to the authority. Rejects with the reason. */
  get(
    server: Server,
    caPem: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: string }>;
}

export interface Server {
  readonly host: string;
  readonly port: number;
}

export interface Certificate {
  /** Why it is not trusted; `null` when it leads to the authority, is in time and for this host. */
  readonly fault: string | null;
  /** End of its time, milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** The signals that `berth run` passes on to the command it runs. */
export const forwardedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
export type ForwardedSignal = (typeof forwardedSignals)[number];

/** How a command that was started ended: with an exit code, of a signal, or not at all because it could not be started. */
export type ChildEnd =
  | { readonly exitCode: number }
  | { readonly signal: NodeJS.Signals }
  | { readonly startError: NodeJS.ErrnoException };

/** A command that was started, with everything it started in turn. */
export interface Child {
  /** True when the terminal sends Ctrl-C to the child by itself, so that passing it on would double it. */
  readonly sharesTerminal: boolean;
  /** Settles when the command itself ends; what it started may live on. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Signals the command and what it started, as far as the system lets us find it. */
  kill(signal: ForwardedSignal | 'SIGKILL' | 'SIGCONT'): void;
  /** True while any of them runs. */
  alive(): boolean;
}

export interface Processes {
  /** Starts a command on our stdin, stdout and stderr. */
  start(command: string, args: readonly string[]): Child;
  /** From now on these signals come here and nowhere else; the function returned undoes it. */
  onSignals(handle: (signal: ForwardedSignal) => void): () => void;
  /** Calls back once; the function returned undoes it. */
  after(delayMs: number, call: () => void): () => void;
}

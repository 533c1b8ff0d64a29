/** What the bench tells the load client, one line of JSON each; it answers each with one line. */
export type Order =
  | ({ readonly do: 'connect' } & Connect)
  | ({ readonly do: 'run' } & Run)
  | ({ readonly do: 'pace' } & Pace)
  /** Gives back what it holds, closes its connections, and says in a file which leases it was ever given. */
  | { readonly do: 'leave'; readonly file: string };

export interface Connect {
  readonly connections: number;
  /** Each is there when it has the answer to a `sign`. Left out: when it is open. */
  readonly signed?: boolean;
}

/** A `sign` of each connection in so much time, spread over it. */
export interface Pace {
  readonly everyMs: number;
  readonly ms: number;
}

export interface Run {
  readonly operation: Operation;
  /** Of each line in one burst. */
  readonly each: number;
  /** Bursts are repeated until they have lasted so long together, ms. */
  readonly ms: number;
  /** And until there were so many operations, if that does not take ten times as long. */
  readonly atLeast?: number;
  readonly product: string;
  /** Of an `echo`'s answer; left out: those of a denial. */
  readonly bytes?: number;
}

/** `echo`, `sign`, `root` and `append` are the bare loop's. */
export type Operation = 'checkout' | 'renew' | 'release' | 'deny' | 'echo' | 'sign' | 'root' | 'append';

/** What the load client is started with. */
export interface LoadFacts {
  readonly host: string;
  readonly port: number;
  readonly serverPid: number;
  /** A file with a list of [key, PEM]; `null`: the bare loop, which knows no devices. */
  readonly devicesFile: string | null;
  readonly serverKey: string;
  readonly vendorKey: string;
}

export interface Measured {
  readonly operations: number;
  readonly ms: number;
  readonly serverCpuNs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Tokens whose signatures were verified, the lease's and its entitlement's. */
  readonly verified: number;
  readonly rssMiB: number;
}

/** What a load client leaves behind for whoever counts the seats. */
export interface Handed {
  /** Every lease it was ever given. */
  readonly granted: readonly string[];
}

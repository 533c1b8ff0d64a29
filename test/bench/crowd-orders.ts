/** What the bench tells the crowd, one line of JSON each; it answers each with one line. */
export type CrowdOrder =
  /** Everybody comes in and takes a seat, and renews it from then on. */
  | { readonly do: 'come' }
  /** They work for so long; then it is told how it was. */
  | { readonly do: 'work'; readonly ms: number }
  /** The server has been killed: whoever has lost it comes back and resumes, as soon as it is there. */
  | { readonly do: 'return' }
  | { readonly do: 'leave'; readonly file: string };

/** What the crowd is started with. */
export interface CrowdFacts {
  readonly host: string;
  readonly port: number;
  readonly devicesFile: string;
  readonly heartbeatMs: number;
  readonly serverKey: string;
  readonly vendorKey: string;
}

export interface Worked {
  /** Tokens whose signatures were verified meanwhile. */
  readonly verified: number;
  readonly renewals: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Returned {
  /** From the order until the last one had resumed its lease. */
  readonly lastMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly resumed: number;
  readonly verified: number;
  /** Those who came back and had no lease any more, or another one. */
  readonly lost: number;
  /** New seats that were asked for meanwhile, and those that were given. */
  readonly newcomers: number;
  readonly newcomersServed: number;
}

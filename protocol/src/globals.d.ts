// The few globals that every JavaScript host has and the ECMAScript library typings leave out. Declared here so that
// the protocol compiles with neither Node's nor a browser's typings: it must run in both.
declare class TextEncoder {
  encode(input: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input: Uint8Array): string;
}
declare class URL {
  constructor(url: string, base?: string);
  protocol: string;
  hostname: string;
  host: string;
  port: string;
  pathname: string;
  username: string;
  password: string;
  hash: string;
  searchParams: {
    get(name: string): string | null;
    getAll(name: string): string[];
    keys(): Iterable<string>;
  };
}

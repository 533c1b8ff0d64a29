import { limits } from './limits.js';
import { EarlyReturn, Id, KeyText, NameText, Nonce, TokenText, WallMs } from './schemas.js';
import Type, { Compile, type Static, type Validator } from './typebox.js';

// The files by which a machine without any network borrows and returns seats (PROTOCOL 4.9): carried by hand, never trusted as they come.

/** The machine asks. Everything that counts is in the token, which its key signed. */
const RequestFile = Type.Object(
  { berth: Type.Literal('borrow-request'), version: Type.Literal(1), token: TokenText },
  { additionalProperties: false },
);

/** The server's answer. What counts are the tokens; the rest is what a joined machine would know of its server. */
const GrantFile = Type.Object(
  {
    berth: Type.Literal('borrow-grant'),
    version: Type.Literal(1),
    /** Of the request that it answers. */
    nonce: Nonce,
    server: Type.Object({ id: Id, key: KeyText }),
    organisation: Type.Object({ name: Type.String({ maxLength: 400 }) }),
    user: Type.Object({ email: Type.String({ maxLength: limits.emailChars }) }),
    device: Type.Object({ id: Id, name: NameText }),
    leases: Type.Array(TokenText, { minItems: 1, maxItems: limits.leasesPerSession }),
    entitlements: Type.Array(TokenText, { minItems: 1, maxItems: limits.leasesPerSession }),
    endorsements: Type.Optional(Type.Array(TokenText, { maxItems: limits.endorsementsRead })),
    freeAtMs: WallMs,
    earlyReturn: EarlyReturn,
  },
  { additionalProperties: false },
);

/** The machine gives back: a stop (4.5) for each lease. */
const ReturnFile = Type.Object(
  {
    berth: Type.Literal('borrow-return'),
    version: Type.Literal(1),
    device: KeyText,
    stops: Type.Array(TokenText, { minItems: 1, maxItems: limits.leasesPerSession }),
  },
  { additionalProperties: false },
);

const files = {
  'borrow-request': RequestFile,
  'borrow-grant': GrantFile,
  'borrow-return': ReturnFile,
} as const;

export type OfflineFileType = keyof typeof files;
export type OfflineFile<T extends OfflineFileType = OfflineFileType> = {
  [K in T]: Static<(typeof files)[K]>;
}[T];

const validators = new Map<OfflineFileType, Validator>();

/** What a file is; `null` when it is too long, no JSON, of another version, or has a member more or less than it should. */
export function parseOfflineFile(text: string): OfflineFile | null {
  if (text.length > limits.offlineFileChars) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  for (const type of Object.keys(files) as OfflineFileType[]) {
    const validator = validators.get(type) ?? Compile(files[type]);
    validators.set(type, validator);
    if (validator.Check(value)) return value as OfflineFile;
  }
  return null;
}

export function formatOfflineFile(file: OfflineFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}

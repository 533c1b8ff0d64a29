import {
  AllocationInfo,
  AuditChange,
  AuditEntry,
  AuditFact,
  AuditSegment,
  BorrowLimits,
  BulkJobInfo,
  BulkRowInfo,
  ClockInfo,
  CreditAccess,
  CreditInfo,
  CreditRequestInfo,
  CreditSourceInfo,
  DeviceInfo,
  Display,
  EntitlementInfo,
  Hash,
  Holder,
  Id,
  IdempotencyKey,
  KeyText,
  LeaseInfo,
  LeaseWarning,
  MachineInfo,
  MachineTokenInfo,
  MailInfo,
  MemberInfo,
  Nonce,
  PendingInfo,
  Pool,
  PoolSettings,
  ProductId,
  Pruned,
  Renewal,
  SharingChange,
  SignatureText,
  TokenText,
  UserInfo,
  Want,
  WhySource,
  Witness,
} from '@berth/protocol';

// Schemas as PROTOCOL.md writes them in the tables of section 7, so that a test can compare the two.

/** JSON Schema as far as ours goes. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface FieldRow {
  /** `client.name`, `leases[].lease`. */
  readonly field: string;
  readonly type: string;
  readonly need: 'required' | 'optional';
}

const asSchema = (schema: object): Schema => JSON.parse(JSON.stringify(schema)) as Schema;

function asSchemas(schemas: Readonly<Record<string, object>>): Readonly<Record<string, Schema>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, asSchema(schema)]));
}

/** Texts with a pattern: the table of 7.1. */
export const textTypes = asSchemas({
  Id,
  ProductId,
  Key: KeyText,
  Nonce,
  Signature: SignatureText,
  Hash,
  IdempotencyKey,
  Token: TokenText,
});

/** Objects that several messages carry: the tables of 7.1. */
export const shapes = asSchemas({
  User: UserInfo,
  Witness,
  Pool,
  PoolSettings,
  SharingChange,
  MachineTokenInfo,
  MachineInfo,
  Holder,
  Want,
  Renewal,
  BorrowLimits,
  Display,
  PendingInfo,
  EntitlementInfo,
  AllocationInfo,
  MailInfo,
  BulkJob: BulkJobInfo,
  BulkRow: BulkRowInfo,
  MemberInfo,
  DeviceInfo,
  WhySource,
  LeaseInfo,
  LeaseWarning,
  ClockInfo,
  CreditAccess,
  CreditInfo,
  CreditSourceInfo,
  CreditRequestInfo,
  AuditFact,
  AuditChange,
  AuditEntry,
  AuditSegment,
  Pruned,
});

const named = new Map(
  Object.entries({ ...textTypes, ...shapes }).map(([name, schema]) => [JSON.stringify(schema), name]),
);

function typeText(schema: Schema): string {
  const name = named.get(JSON.stringify(schema));
  if (name !== undefined) return name;
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ');
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => `\`${value}\``).join(', ')}`;
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.type === 'array') {
    return `list of ${typeText(schema.items!)}${range(', ', schema.minItems, schema.maxItems)}`;
  }
  if (schema.type === 'string') return `text${range(' ', schema.minLength, schema.maxLength)}`;
  if (schema.type === 'integer') return `integer${range(' ', schema.minimum, schema.maximum)}`;
  return schema.type ?? 'anything';
}

function range(before: string, least: number | undefined, most: number | undefined): string {
  // 2^53 - 1 is what every integer is limited to (PROTOCOL 3.1).
  const top = most === Number.MAX_SAFE_INTEGER ? undefined : most;
  if (least !== undefined && top !== undefined) return `${before}${least}..${top}`;
  if (top !== undefined) return `${before}≤ ${top}`;
  return least === undefined ? '' : `${before}≥ ${least}`;
}

/** The rows of an object's table: its fields, and those of objects inside it that have no name of their own. */
export function fieldRows(schema: object): FieldRow[] {
  return rowsOf(asSchema(schema), '');
}

function rowsOf(schema: Schema, prefix: string): FieldRow[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]): FieldRow[] => {
    const field = prefix + name;
    const need = schema.required?.includes(name) === true ? 'required' : 'optional';
    const inner = member.items ?? member;
    const isAnonymous = inner.properties !== undefined && !named.has(JSON.stringify(inner));
    const rows = isAnonymous ? rowsOf(inner, `${field}${member.items === undefined ? '' : '[]'}.`) : [];
    return [{ field, type: typeText(member), need }, ...rows];
  });
}

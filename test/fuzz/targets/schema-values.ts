import { type Method, requests } from '@berth/protocol';
import type { Random } from '../../store/random.js';
import { oddIntegers, oddTexts, pick } from '../target.js';

/** What a JSON schema of the message table has of what this needs; TypeBox's schemas are such objects. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/**
 * Parameters that fit the schema of a method, or nearly.
 * @param known texts by the name of the member that they are for: ids that exist get further than ids that do not
 */
export function paramsFor(
  method: Method,
  random: Random,
  known: Readonly<Record<string, readonly string[]>>,
): unknown {
  return sampleOf(requests[method].params as Schema, random, known, '');
}

function sampleOf(
  schema: Schema,
  random: Random,
  known: Readonly<Record<string, readonly string[]>>,
  name: string,
): unknown {
  if (random(60) === 0)
    return pick(random, [null, true, [], {}, pick(random, oddTexts), pick(random, oddIntegers)]);
  if (schema.anyOf !== undefined) return sampleOf(pick(random, schema.anyOf), random, known, name);
  if ('const' in schema) return schema.const;
  const { properties, items } = schema;
  if (properties !== undefined) {
    const given = Object.entries(properties).filter(
      ([member]) => schema.required?.includes(member) === true || random(3) === 0,
    );
    return Object.fromEntries(given.map(([member, of]) => [member, sampleOf(of, random, known, member)]));
  }
  if (items !== undefined) {
    const [least, most] = [schema.minItems ?? 0, schema.maxItems ?? 4];
    const length = Math.min(most, least + random(random(20) === 0 ? 70 : 3));
    return Array.from({ length }, () => sampleOf(items, random, known, name));
  }
  if (schema.type === 'integer') return integer(schema, random);
  if (schema.type === 'boolean') return random(2) === 0;
  return schema.type === 'null' ? null : written(schema, random, known[name] ?? []);
}

function integer({ minimum = 0, maximum = 2 ** 53 - 1 }: Schema, random: Random): number {
  return pick(random, [
    minimum,
    maximum,
    minimum + 1,
    Math.min(maximum, minimum + random(200)),
    pick(random, oddIntegers),
  ]);
}

function written({ pattern = '' }: Schema, random: Random, known: readonly string[]): string {
  if (known.length > 0 && random(8) > 0) return pick(random, known);
  const length = /\{(\d+)(?:,\d+)?\}/.exec(pattern);
  if (length !== null) return pick(random, ['a', 'n', 'A']).repeat(Number(length[1]));
  return random(3) === 0
    ? pick(random, oddTexts)
    : pick(random, ['render', 'anna@studio.example', 'x1', '2026-12-01']);
}

// Decoders for the small JSON files the SDK keeps and for the loose members of an error. The decoder comes first and the type is
// inferred from it (STYLE 4). What crosses the wire is decoded by the protocol's schemas instead.

/** Reads a value of any origin; `undefined` when it is not of the shape. */
export type Shape<T> = (value: unknown) => T | undefined;
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

export const text: Shape<string> = (value) => (typeof value === 'string' ? value : undefined);

export const whole: Shape<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  return (value) => words.find((word) => word === value);
}

/** Missing and `null` both read as `null`. */
export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value) => (value === undefined || value === null ? null : shape(value));
}

export function listOf<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    const items: T[] = [];
    for (const element of value) {
      const item = shape(element);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = { readonly [K in keyof F]: ShapeOf<F[K]> };

/** Further members are ignored and dropped. */
export function object<F extends Fields>(fields: F): Shape<Read<F>> {
  return (value) => {
    if (!isRecord(value)) return undefined;
    const result: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(fields)) {
      const member = shape(value[name]);
      if (member === undefined) return undefined;
      result[name] = member;
    }
    // Every member was just read by the shape of its name.
    return result as Read<F>;
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `undefined` when the text is not JSON of that shape. */
export function parseJson<T>(json: string, shape: Shape<T>): T | undefined {
  try {
    return shape(JSON.parse(json));
  } catch {
    return undefined;
  }
}

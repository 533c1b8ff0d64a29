// The schemas of the message table as plain JSON Schema, those with a name by reference.
import * as protocol from '../../dist/index.js';

const { errors, httpStatusOf } = protocol;

/** Exported schemas that are worth a name: objects, and texts with a pattern. Integers and plain texts are clearer where they stand. */
const named = new Map(
  Object.entries(protocol)
    .filter(([name, value]) => /^[A-Z][a-z]/.test(name) && (value?.type === 'object' || value?.pattern))
    .map(([name, schema]) => [JSON.stringify(schema), name]),
);

const own = {
  ErrorCode: {
    type: 'string',
    description:
      'Stable: programs match on it. PROTOCOL.md section 9 says what each means; `x-berth-errors` is that table.',
    enum: Object.keys(errors),
  },
};

/** The catalogue, for tools that want texts. */
export const errorTable = Object.fromEntries(
  Object.entries(errors).map(([code, { number, text, next, retryable, exit }]) => [
    code,
    { number, httpStatus: httpStatusOf(code), retryable, exit, text, next },
  ]),
);

/** Collects the named schemas that a document refers to. */
export class Components {
  #schemas = { ...own };

  /** A schema as it stands in a document. @param inPlace not replaced by a reference itself */
  of(schema, inPlace = false) {
    return this.#resolve(JSON.parse(JSON.stringify(schema)), inPlace);
  }

  ref(name) {
    return { $ref: `#/components/schemas/${name}` };
  }

  get schemas() {
    return Object.fromEntries(Object.entries(this.#schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #resolve(value, inPlace) {
    if (Array.isArray(value)) return value.map((item) => this.#resolve(item, false));
    if (typeof value !== 'object' || value === null) return value;
    const name = inPlace ? undefined : named.get(JSON.stringify(value));
    if (name !== undefined) {
      // First a place, then the schema: one that holds itself would never end.
      if (this.#schemas[name] === undefined) {
        this.#schemas[name] = {};
        this.#schemas[name] = this.#resolve(value, true);
      }
      return this.ref(name);
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, this.#resolve(member, false)]),
    );
  }
}

export const version = '1.0.0';
export const license = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0.html' };

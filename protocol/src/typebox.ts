/**
 * TypeBox through one file of ours: `npm run build` puts the library itself into what this compiles to. Loaded from its own 700 files
 * it was half of what `berth` needs to start.
 */

export type { Static, TSchema } from 'typebox';
export { default } from 'typebox';
export { Compile, type Validator } from 'typebox/compile';

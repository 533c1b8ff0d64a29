import type { Target } from './target.js';

/** Opened at need: each loads the part of the product that it is about. */
const targets: Readonly<Record<string, () => Promise<Target>>> = {
  frame: async () => (await import('./targets/frame.js')).frameTarget(),
  token: async () => (await import('./targets/token.js')).tokenTarget(),
  csv: async () => (await import('./targets/csv.js')).csvTarget(),
  entitlement: async () => (await import('./targets/entitlement.js')).entitlementTarget(),
  journal: async () => (await import('./targets/journal.js')).journalTarget(),
  config: async () => (await import('./targets/config.js')).configTarget(),
};

export const targetNames: readonly string[] = Object.keys(targets);

export async function targetCalled(name: string): Promise<Target> {
  const open = targets[name];
  if (open === undefined) throw new Error(`There is no target ${name}. Targets: ${targetNames.join(', ')}.`);
  return open();
}

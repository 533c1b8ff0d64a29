import { hash } from 'node:crypto';

/** The marker with the checksum of all else in it: a flipped bit in a port or a name must not be taken for what IT had said. */
export function withCheck<Marker extends object>(marker: Marker): Marker & { readonly check: string } {
  return { ...marker, check: checkOf(marker) };
}

/** SHA-256 over the members in the order in which they are written; white space does not count. */
export function checkOf(marker: object): string {
  const { check: _, ...rest } = marker as { readonly check?: string };
  return hash('sha256', JSON.stringify(rest), 'hex');
}

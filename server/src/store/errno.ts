/** The errno name of an I/O error (`ENOENT`, `EIO`, ...), or `UNKNOWN`. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

/** Calls back once, later, if the process lives as long: it keeps no process alive. @returns a function that calls it off */
export function later(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms).unref();
  return () => clearTimeout(timer);
}

import type { Engine } from './engine.js';

/** How late an expiry may be noticed when nothing else happens, ms. A command that comes earlier notices it by itself. */
const TICK_MS = 100;

/** The only expiry timer of the server: it merely submits. @returns a function that stops it. */
export function startTicker(engine: Engine, everyMs: number = TICK_MS): () => void {
  const timer = setInterval(() => engine.tick(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

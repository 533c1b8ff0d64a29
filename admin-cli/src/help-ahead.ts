interface Inside {
  getInternalMethods?(): { getUsageInstance?(): { cacheHelpMessage?: () => void } };
}

/**
 * yargs draws the help of each command that it has started, for a failure that would show it. Ours never do, and measuring and wrapping
 * its lines is a sixth of the CPU that a start takes. Not in its interface: where it is called otherwise, nothing is won and nothing lost.
 */
export function drawNoHelpAhead<P extends object>(parser: P): P {
  const usage = (parser as P & Inside).getInternalMethods?.().getUsageInstance?.();
  if (usage?.cacheHelpMessage !== undefined) usage.cacheHelpMessage = () => undefined;
  return parser;
}

import type { Evidence, Finding } from './evidence.js';
import { eventsOf } from './history.js';

/**
 * I5: once an admin has vouched for the clock, it is trusted: where nothing goes wrong any more there is nothing left to vouch for. An admin did so before the
 * quiet began.
 */
export function notTrusted({ quiet, entries }: Evidence): Finding[] {
  if (quiet === undefined) return [];
  const asked = new Set(
    eventsOf(entries, 'request').flatMap(({ method, key, t }) =>
      method === 'clock.accept' && key !== undefined && t >= quiet.fromT ? [key] : [],
    ),
  );
  return eventsOf(entries, 'result').flatMap(({ method, key, text, t }): Finding[] => {
    if (method !== 'clock.accept' || !asked.has(key)) return [];
    const { changed, before } = JSON.parse(text) as { changed: boolean; before: { state: string } };
    return changed
      ? [
          {
            rule: 'CLOCK',
            text: `at ${Math.round(t)} ms the clock of the server is ${before.state}, though an admin had vouched for it and nobody has touched it since`,
          },
        ]
      : [];
  });
}

import type { Job } from './crew.js';
import type { RunReport } from './run.js';

/** So many attempts are made to find a shorter one. */
const ATTEMPTS = 8;
const MARGIN_HOURS = 0.02;

/** What a run has to tell for that. */
export type Shown = Pick<RunReport, 'violations' | 'violatedAfterHours' | 'safetyHours' | 'clients'>;

export interface Replay<R extends Shown> {
  readonly job: Job;
  readonly report: R;
}

/**
 * The shortest run that still shows a violation of the same rule: cut just after it, then with fewer clients, then shorter still. What happens up to a moment does not depend
 * on how long things go wrong, but on everybody who takes part, so fewer clients are another history that may or may not show it.
 */
export async function shortest<R extends Shown>(
  found: Replay<R>,
  simulate: (job: Job) => Promise<R>,
): Promise<Replay<R>> {
  let best = found;
  let left = ATTEMPTS;
  const rule = ruleOf(found.report);
  const attempt = async (change: Partial<Job>): Promise<boolean> => {
    if (left-- <= 0) return false;
    const job = { ...best.job, ...change };
    const report = await simulate(job);
    if (!report.violations.some((text) => ruleIn(text) === rule)) return false;
    best = { job, report };
    return true;
  };
  const after = found.report.violatedAfterHours;
  const hours = found.report.safetyHours;
  if (after !== null && after + MARGIN_HOURS < hours) await attempt({ hours: rounded(after + MARGIN_HOURS) });
  const fewer = [2, 4, 8, 12].filter((clients) => clients < found.report.clients);
  for (const clients of fewer) if (await attempt({ clients })) break;
  while (best.report.safetyHours > 0.1 && (await attempt({ hours: rounded(best.report.safetyHours / 2) }))) {}
  return best;
}

const SHOWN_VIOLATIONS = 10;

/** In words: how to see it again, what it violates, and what happened before. All of the same run. */
export function accusation({ job, report }: Replay<Shown & Pick<RunReport, 'before'>>): string {
  const { violations, before } = report;
  const lines = [
    `  replay: ${commandOf(job)}`,
    `  its violations, ${violations.length}:`,
    ...violations.slice(0, SHOWN_VIOLATIONS).map((text) => `    ${text}`),
    '  before the first of them:',
    ...before.map((text) => `    ${text.slice(0, 400)}`),
  ];
  return `${lines.join('\n')}\n`;
}

export function commandOf({ seed, hours, clients, stacks, restores }: Job): string {
  const words = [`--seed ${seed}`];
  if (hours !== undefined) words.push(`--hours ${hours}`);
  if (clients !== undefined) words.push(`--clients ${clients}`);
  if (stacks) words.push('--stacks');
  if (restores) words.push('--restores');
  return `npm run simulate -- ${words.join(' ')}`;
}

function ruleOf({ violations }: Shown): string {
  return ruleIn(violations[0] ?? '');
}

/** `I6`, `STATUS`; what the site itself noticed has the moment in front, and its first words are the rule. */
function ruleIn(text: string): string {
  return text
    .replace(/^\d+ ms: /, '')
    .split(/[\s:]/)
    .slice(0, /^[A-Z0-9]+:/.test(text) ? 1 : 3)
    .join(' ');
}

function rounded(hours: number): number {
  return Math.ceil(hours * 100) / 100;
}

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunOptions, RunReport } from './run.js';

const WORKER = fileURLToPath(new URL('./seed-worker.js', import.meta.url));

export type Job = Pick<RunOptions, 'seed' | 'hours' | 'clients' | 'stacks' | 'restores'>;

/** Runs each job in one of so many processes, and tells of each report in the order of the jobs. @throws when a process of it dies */
export async function runAll(
  jobs: readonly Job[],
  processes: number,
  tell: (report: RunReport, job: Job) => Promise<void> | void,
): Promise<void> {
  const done = new Map<Job, RunReport>();
  let [next, told] = [0, 0];
  let telling = Promise.resolve();
  const reported = (job: Job, report: RunReport): void => {
    done.set(job, report);
    for (let job = jobs[told]; job !== undefined && done.has(job); job = jobs[++told]) {
      const [first, its] = [job, done.get(job)!];
      done.delete(job);
      telling = telling.then(() => tell(its, first));
    }
  };
  const work = async (): Promise<void> => {
    const worker = fork(WORKER);
    try {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++])
        reported(job, await ask(worker, job));
    } finally {
      worker.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, work));
  await telling;
}

function ask(worker: ChildProcess, job: Job): Promise<RunReport> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void =>
      reject(new Error(`The process of seed ${job.seed} ended with ${code}.`));
    worker.once('exit', died);
    worker.once('message', (report) => {
      worker.off('exit', died);
      resolve(report as RunReport);
    });
    worker.send(job);
  });
}

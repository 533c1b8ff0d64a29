import { readdirSync, readFileSync } from 'node:fs';

/**
 * What a process has computed until now, in ns, all its threads together: the kernel's own account, which other work on the machine
 * does not enter. `/proc/PID/stat` counts in hundredths of a second, which is longer than a burst of the bench.
 * @throws where the kernel does not say it
 */
export function cpuNs(pid: number): number {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).reduce((sum, thread) => sum + ranNs(`${folder}/${thread}/schedstat`), 0);
  } catch (cause) {
    throw new Error(
      `${folder}/*/schedstat cannot be read. The bench needs Linux with CONFIG_SCHED_INFO: run it on such a machine.`,
      { cause },
    );
  }
}

function ranNs(file: string): number {
  return Number(readFileSync(file, 'utf8').split(' ')[0]);
}

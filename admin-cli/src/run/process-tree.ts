import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** A process and everything that descends from it now. What was left behind by a parent that ended is not found. */
export function descendants(pid: number): ProcessRow[] {
  const rows = listProcesses();
  const found = rows.filter((row) => row.pid === pid);
  // The list grows while it is walked: children are appended behind their parent.
  for (const { pid: parent } of found)
    found.push(...rows.filter((row) => row.parent === parent && row.pid !== pid));
  return found;
}

/** True while a process of the group, or one of the others, runs; true as well when the system does not tell. */
export function runs(group: number, others: ReadonlySet<number>): boolean {
  const rows = listProcesses();
  return (
    rows.length === 0 || rows.some((row) => row.group === group || row.pid === group || others.has(row.pid))
  );
}

/** Every process that can be seen; none when the system does not tell. */
function listProcesses(): ProcessRow[] {
  try {
    return process.platform === 'linux' ? fromProc() : fromPs();
  } catch {
    return [];
  }
}

function fromProc(): ProcessRow[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name of the program is in parentheses and may hold anything; state, parent and group follow (proc(5)).
      const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' ? [] : [{ pid: Number(name), parent: Number(parent), group: Number(group) }];
    } catch {
      return []; // It ended while we looked.
    }
  });
}

function fromPs(): ProcessRow[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid='], { encoding: 'utf8', timeout: 1000 });
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group] = line.trim().split(/\s+/).map(Number);
    return pid === undefined || parent === undefined || group === undefined ? [] : [{ pid, parent, group }];
  });
}

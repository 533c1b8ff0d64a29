import type { Command } from '@berth/cli/command';
import { commands } from '@berth/cli/commands/all';
import { describe, expect, it } from 'vitest';

// Issue 5, part 10: `--dry-run` on what changes more than one thing. Of every command it is said here whether it does; a new one has to be.

/** Every command, with its words, that does something. */
const all = (table: readonly Command[], before: string): [string, Command][] =>
  table.flatMap((command) => {
    const words = `${before}${command.name}`;
    return command.commands.length > 0 ? all(command.commands, `${words} `) : [[words, command]];
  });
const named = all(commands, '');

const several = [
  ...['user invite', 'user set', 'user remove', 'user unenrol', 'machine remove', 'pool set'],
  ...['license assign', 'license move', 'license revoke', 'sharing'],
  ...['entitlement import', 'entitlement remove', 'bulk apply', 'mail retry'],
  ...['borrow return', 'borrow accept-return', 'borrow grant'],
  ...['audit prune', 'restore accept', 'clock accept'],
];

/** One member, one pool, one lease, one mail, one file: what it would do is what was typed. */
const one = [
  ...['join', 'run', 'org set', 'context use'],
  ...['borrow take', 'borrow request', 'borrow install'],
  ...['machine token create', 'machine token revoke', 'lease message', 'lease release'],
  ...['credit limit', 'credit approve', 'credit deny', 'credit request', 'credit consume'],
  ...['mail test', 'audit checkpoint', 'audit export', 'backup create', 'entitlement request'],
  ...['vendor keygen', 'vendor issue', 'vendor endorse'],
];

const nothing = [
  ...['whoami', 'me', 'status', 'why', 'doctor', 'completion', 'context list', 'borrow list'],
  ...['org show', 'user list', 'user show', 'user devices', 'machine token list', 'machine list'],
  ...['license list', 'lease list', 'pool show', 'entitlement list', 'entitlement show'],
  ...['subscription list', 'subscription show', 'credit show', 'credit usage', 'credit requests'],
  ...['bulk template', 'bulk preview', 'bulk list', 'bulk report', 'mail list', 'mail show'],
  ...['audit list', 'audit tail', 'audit verify', 'backup verify', 'backup show'],
  ...['restore show', 'clock show', 'vendor inspect'],
];

describe('--dry-run', () => {
  it('of every command it is said whether it changes more than one thing', () => {
    const said = [...several, ...one, ...nothing];
    expect(said.toSorted()).toEqual(named.map(([words]) => words).toSorted());
  });

  it.each(named)('berth %s', (words, { options }) => {
    expect(Object.hasOwn(options, 'dry-run')).toBe(several.includes(words));
  });
});

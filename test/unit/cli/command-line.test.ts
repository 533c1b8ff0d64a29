import { nearest } from '@berth/protocol/nearest';
import { describe, expect, it } from 'vitest';
import { berth } from './fake-host.js';

describe('a wrong command line', () => {
  it.each([
    ['', 'needs a command'],
    ['user', 'invite, list, show'],
    ['usr', '`berth user`'],
    ['user invit x@y.org', '`berth user invite`'],
    ['user invite', 'Give e-mail addresses, or a table of them with --csv FILE.'],
    ['user remove a@b.org --csv gone.csv', 'Put the addresses into the table.'],
    ['user invite --csv people.csv --role admin', '--role and --csv exclude each other.'],
    ['license assign', 'berth license assign <email> <product>'],
    ['jion berth://x', 'Did you mean `berth join`?'],
    ['invite a@b.org', 'Did you mean `berth user invite`?'],
    ['token create', 'Did you mean `berth machine token`?'],
    ['user delete a@b.org', 'Did you mean `berth user remove`?'],
    ['machine tokne list', 'Did you mean `berth machine token`?'],
    ['--context user stauts', 'Did you mean `berth status`?'],
    ['frobnicate user list', 'There is no command "berth frobnicate"'],
    ['status --prodcut render', 'Did you mean --product?'],
    ['status --no-inptu', 'Did you mean --no-input?'],
    ['run --product render --on-lost kil -- ls', 'Did you mean kill?'],
    ['sharing fo', 'One of: on, off.'],
    ['user invite a@b.org --nme Anna', '--name'],
    ['license revoke a@b.org render c@d.org', 'c@d.org'],
    ['user invite a@b.org --name', '--name needs a value'],
    ['user invite a@b.org --name x --name y', 'more than once'],
    ['status --context a --context b', 'more than once'],
    ['vendor issue --key x', '--server, --product'],
    ['borrow take --product p', '--for'],
    ['run --product render ls', 'after --'],
    ['run --product render', 'after --'],
    ['run --product render --on-lost panic -- ls', 'on-lost'],
    ['license revoke a@b.org render --all --quantity 2', 'exclude'],
    ['borrow return b-1 --product render', 'exclude'],
    ['license assign a@b.org render --quantity 0', '--quantity'],
    ['user list --limit 0', '--limit'],
    ['audit list --since 2026-03-02 --until 2026-03-01', 'is not after --since'],
    ['audit list --since 1h --until 2d', 'is not after --since'],
    ['credit usage --until 2025-12-31', 'Give --from too'],
  ])('berth %s: exit 2, a sentence and a hint', async (line, words) => {
    const ran = await berth(line === '' ? [] : line.split(' '));
    expect(ran.exitCode).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^berth: USAGE .*\nNext: .*\n$/s);
    expect(ran.stderr).toContain(words);
  });

  it.each([
    ['user remove a@b.org --dry-run=1', '--dry-run'],
    ['user remove a@b.org --dry-run=', '--dry-run'],
    ['user remove a@b.org --dry-run=TRUE', '--dry-run'],
    ['user remove --dry-run false a@b.org', '--dry-run'],
    ['user remove a@b.org --dry-run TRUE', '--dry-run'],
    ['--dry-run false user remove a@b.org', '--dry-run'],
    ['license revoke a@b.org render --all=1', '--all'],
    ['bulk report j-1 --csv=1', '--csv'],
    ['status --json=1', '--json'],
    ['user remove a@b.org -y1', '-y'],
    ['user remove a@b.org -y 1', '-y'],
    ['user remove a@b.org -y=yes', '-y'],
    ['status --help=1', '--help'],
  ])('berth %s: no other value is taken for false', async (line, option) => {
    const ran = await berth(line.split(' '));
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ran.stderr).toMatch(new RegExp(`^berth: USAGE ${option} takes no value`));
  });

  it('true and false are values of a boolean option, behind =', async () => {
    const asked = await berth(['user', 'remove', 'not@@', '--dry-run=true', '--json=true']);
    expect(asked.json()).toMatchObject({ error: { code: 'EMAIL_INVALID' } });
  });

  it('is one JSON object too', async () => {
    const ran = await berth(['status', '--frobnicate', '--json']);
    expect(ran.json()).toMatchObject({ error: { code: 'USAGE', exitCode: 2 } });
  });

  it('keeps stdout for the command of berth run', async () => {
    const ran = await berth(['run', '--product', 'P!', '--json', '--', 'ls']);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it.each([
    ['user invite not-an-address', 'EMAIL_INVALID'],
    ['license assign a@b.org render --expires 2026-02-30', 'DATE_INVALID'],
    ['join http://example.org', 'LINK_INVALID'],
  ])('berth %s: %s before anything is sent', async (line, code) => {
    expect((await berth([...line.split(' '), '--json'])).json()).toMatchObject({
      error: { code, exitCode: 2 },
    });
  });
});

describe('help', () => {
  const lines = [
    '',
    'join',
    'whoami',
    'status',
    'run',
    'borrow take',
    'borrow list',
    'borrow return',
    'user invite',
    'user list',
    'user remove',
    'license assign',
    'license revoke',
    'license list',
    'lease list',
    'lease release',
    'entitlement request',
    'entitlement import',
    'entitlement list',
    'entitlement show',
    'entitlement remove',
    'context list',
    'context use',
    'vendor keygen',
    'vendor issue',
    'vendor inspect',
  ];
  it.each(lines)('berth %s --help', async (line) => {
    const ran = await berth([...line.split(' ').filter(Boolean), '--help']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.stdout).toContain(line === '' ? 'Exit codes' : 'Examples:');
    if (line !== '') expect(await berth(['help', ...line.split(' ')])).toMatchObject({ stdout: ran.stdout });
  });

  it('tells the version', async () => {
    expect((await berth(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await berth(['--version', '--json'])).json()).toHaveProperty('version');
  });
});

describe('did you mean', () => {
  it('knows near words only', () => {
    expect(nearest('entitlment', ['entitlement', 'user'])).toBe('entitlement');
    expect(nearest('frobnicate', ['entitlement', 'user'])).toBeUndefined();
    expect(nearest('usre', ['entitlement', 'user'])).toBe('user');
    expect(nearest('xxxx', ['user', 'join'])).toBeUndefined();
  });
});

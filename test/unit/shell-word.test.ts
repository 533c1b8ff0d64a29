import { execFileSync } from 'node:child_process';
import { shellWord } from '@berth/server/domain/decide/shell-word';
import { expect, test } from 'vitest';
import { World } from './domain/world.js';

test('an address is shown as a shell takes it', () => {
  for (const email of ["$home|&`id`'{x}@studio.example", 'o#1;!?*@studio.example', '-a+b@x.example'])
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(email)}`], { encoding: 'utf8' })).toBe(
      email,
    );
  expect(shellWord('anna.ek+1@studio.example')).toBe('anna.ek+1@studio.example');
});

test('the command that a refusal offers has it so', () => {
  const world = new World();
  const email = 'o|x@studio.example';
  world.user('o|x');
  const invite = { type: 'invite', name: null, role: null, device: false, invitationMs: 1000 } as const;
  const { next } = world.refused({ ...invite, ...world.admin(), email }, 'USER_EXISTS');
  expect(next).toContain(`berth user invite '${email}' --device`);
});

import { edit, type Mutant, mutant } from './mutant.js';

/** Bulk work, mail, the journal for outsiders, and moves: what administration promises. */
export const plantedInOffice: readonly Mutant[] = [
  mutant(
    'bulk-row-twice',
    'BULK',
    'A bulk job that goes on after a commit decides the last row of it again.',
    edit(
      'server/dist/bulk/worker.js',
      'const { id, next, rows } = job;',
      'const { id, rows } = job;\n            const next = Math.max(0, job.next - 1);',
    ),
    edit('server/dist/domain/decide/bulk.js', 'job.next !== index', 'job.next < index'),
  ),
  mutant(
    'mail-before-commit',
    'MAIL',
    'A mail is handed over while what it tells is still being written.',
    edit(
      'server/dist/mail/outbox.js',
      "const tried = await submit({ type: 'tryMail', ...attempt });",
      "void submit({ type: 'tryMail', ...attempt });\n        const tried = { ok: true, outcome: { ...attempt, messageId: mail.messageId ?? attempt.messageId, told: mail.told ?? attempt.told } };",
    ),
  ),
  mutant(
    'mail-of-another-commit',
    'MAIL',
    'The mails of what was decided are not in its commit.',
    edit(
      'server/dist/domain/decide/mails.js',
      'if (movingSeats.has(command.type))',
      "if (command.type !== 'move' && movingSeats.has(command.type))",
    ),
  ),
  mutant(
    'mail-with-a-dead-link',
    'MAIL',
    'The mail of an invitation that was taken back is sent all the same.',
    edit(
      'server/dist/domain/decide/mails.js',
      "return [{ type: 'mail.cancelled', id: mail.id, atMs: now.wallMs }];",
      'return [];',
    ),
  ),
  mutant(
    'mail-again-in-other-words',
    'MAIL',
    'A mail that may have been taken is handed over again with the names of by then.',
    edit('server/dist/domain/decide/mail.js', 'mail.told ?? command.told', 'command.told'),
  ),
  mutant(
    'mail-given-up-at-once',
    'MAIL',
    'A mail that could not be sent is not tried again.',
    edit(
      'server/dist/domain/mail.js',
      'if (nowMs - (triedFromMs ?? nowMs) >= GIVE_UP_MS)',
      'if (nowMs - (triedFromMs ?? nowMs) >= 0)',
    ),
  ),
  mutant(
    'mail-lost-by-a-restart',
    'MAIL',
    'A mail that was being handed over when the server stopped is never sent.',
    edit(
      'server/dist/mail/outbox.js',
      "for (const id of [...this.#options.state.derived.mailsByState.get('sending')])",
      'for (const id of [])',
    ),
  ),
  mutant(
    'credit-question-unheard',
    'MAIL',
    'Nobody is told that somebody wants more credits.',
    edit(
      'server/dist/domain/decide/mails.js',
      "return whoRuns(state).map((to) => ({ to, fact }));\n    },\n    'credit.answered'",
      "return [];\n    },\n    'credit.answered'",
    ),
  ),
  mutant(
    'job-miscounted',
    'BULK',
    'Who asked for a bulk job is told a row too few.',
    edit(
      'server/dist/domain/decide/bulk.js',
      'const count = (is) => job[is] + (last.is === is ? 1 : 0);',
      'const count = (is) => job[is];',
    ),
  ),
  mutant(
    'checkpoint-skips-a-record',
    'I10',
    'A checkpoint counts a record less than its hash covers.',
    edit(
      'server/dist/engine/checkpoint.js',
      '{ ...engine.witness, iat }',
      '{ ...engine.witness, seq: Math.max(0, engine.witness.seq - 1), iat }',
    ),
  ),
  mutant(
    'export-skips-a-record',
    'I10',
    'The journal is handed out without the record that was asked for first.',
    edit(
      'server/dist/audit/audit-log.js',
      'if (record.seq < from.seq || record.seq > top)',
      'if (record.seq <= from.seq || record.seq > top)',
    ),
  ),
  mutant(
    'stored-row-skipped',
    'STATE',
    'A lease that has ended is not taken out of the stored state.',
    edit(
      'server/dist/store/records.js',
      'const row = table.get(id);',
      "const row = table.get(id);\n            if (name === 'lease' && row === undefined)\n                continue;",
    ),
  ),
  mutant(
    'move-in-two-commits',
    'ALLOCATION',
    'Seats that go from one to another are taken back first, and given in a commit of its own.',
    edit(
      'server/dist/admin/allocation-handlers.js',
      "engine.submit({ type: 'move', ...asked('allocation.move', params, caller), ...wish })",
      `(async () => {
            const key = asked('allocation.move', params, caller);
            const { email, to, quantity, ...which } = wish;
            const back = await engine.submit({ type: 'revoke', ...key, request: { ...key.request, key: \`\${key.request.key}-back\` }, ...which, email, quantity, when: 'now' });
            if (!back.ok)
                return back;
            const given = await engine.submit({ type: 'assign', ...key, ...which, email: to, quantity: back.outcome.revoked });
            if (!given.ok)
                return given;
            return { ok: true, outcome: { moved: back.outcome.revoked, left: back.outcome.left, leasesRevoked: back.outcome.leasesRevoked, allocations: [given.outcome.allocation] } };
        })()`,
    ),
  ),
];

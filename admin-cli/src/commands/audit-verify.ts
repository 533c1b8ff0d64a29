import { parseToken } from '@berth/protocol';
import Type, { Compile } from '@berth/protocol/typebox';
import { type Against, type Broken, type Known, type Proved, verifyAudit } from '../audit/verify.js';
import { type BrokenFile, type ProvedChain, verifyChain } from '../audit/verify-chain.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { Failure, failureJson, failureText, usage } from '../fail.js';
import { readLines, readText } from '../files.js';
import { readServerKey } from '../keys.js';
import { fields } from '../output.js';
import { quote } from '../parse.js';
import { momentWords } from '../words.js';

export const auditVerify = defineCommand({
  usage: 'verify <files..>',
  describe: 'Prove offline that audit files are whole, unchanged and one chain, or say where they are not',
  positionals: {
    files: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'what `berth audit export` or `berth audit prune` wrote; several in any order',
    },
  },
  options: {
    'server-key': {
      type: 'string',
      describe: 'key the server must have, as text or file; of the joined server when left out',
    },
    checkpoint: {
      type: 'string',
      describe: 'a later checkpoint, as text or file (`berth audit checkpoint`)',
    },
    witness: {
      type: 'string',
      describe: 'file with what a client saw: state/CONTEXT/witness.json of its folder',
    },
  },
  examples: [
    [
      'berth audit verify audit.jsonl --server-key ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
      'by somebody who never joined',
    ],
    [
      'berth audit verify audit-*.jsonl',
      'what was pruned year by year: that no record is missing in between',
    ],
    ['berth audit verify audit.jsonl --checkpoint 2026-03.checkpoint', 'and that nothing was cut off since'],
  ],
  more: 'Needs no network. Says the record that was changed, is missing or stands in another place; where somebody made all the hashes anew, the two signed positions between which it was. Several files have to follow one another: a record that is in none of them is missing.',
  exits: [[1, 'it was changed, or is not whole; also a file that cannot be read']],
  run: async (context, args) => {
    const against = await againstWhat(context, args);
    const files = args.files.map((file) => String(file));
    const verdict = await verified(context, files, against);
    const pinned = against.serverKey !== null;
    if (verdict.ok) {
      const text = provedText(context, verdict, against);
      return {
        document: { ...verdict, pinned },
        text,
        notes: [...lateNotes(verdict), ...restoreNotes(context, verdict)],
      };
    }
    const failure = brokenFailure(verdict.file, verdict);
    context.stderr.write(failureText(failure, context));
    return { document: { ...verdict, error: failureJson(failure) }, text: '', exitCode: failure.exitCode };
  },
});

async function verified(
  context: Context,
  files: readonly string[],
  against: Against,
): Promise<Proved | ProvedChain | BrokenFile> {
  const [file, ...others] = files as [string, ...string[]];
  if (others.length > 0)
    return await verifyChain(
      files.map((each) => ({ file: each, lines: () => readLines(context, each) })),
      against,
    );
  const verdict = await verifyAudit(readLines(context, file), against);
  return verdict.ok ? verdict : { ...verdict, file };
}

interface Given {
  readonly 'server-key': string | undefined;
  readonly checkpoint: string | undefined;
  readonly witness: string | undefined;
}

async function againstWhat(context: Context, given: Given): Promise<Against> {
  const serverKey =
    given['server-key'] === undefined
      ? await joinedKey(context)
      : await readServerKey(context, given['server-key'], '--server-key');
  const known: Known[] = [];
  if (given.checkpoint !== undefined) known.push(await checkpointOf(context, given.checkpoint));
  if (given.witness !== undefined) known.push(await witnessOf(context, given.witness));
  return { serverKey, known };
}

/** `null` where nobody has joined: then the file is only proved to be of whom it says. */
async function joinedKey({ settings, sdk }: Context): Promise<string | null> {
  try {
    return (await sdk.identities(settings.home).read(settings.contextName)).serverKey;
  } catch {
    return null;
  }
}

async function checkpointOf(context: Context, given: string): Promise<Known> {
  const text = (
    given.includes('.') && given.startsWith('ey') ? given : await readText(context, given)
  ).trim();
  const parsed = parseToken('checkpoint', text);
  if (!parsed.ok)
    throw usage('--checkpoint holds no checkpoint.', 'Give what `berth audit checkpoint` wrote.');
  const { epoch, seq, head } = parsed.token.claims;
  return { what: 'the checkpoint', token: text, epoch, seq, head, seen: true };
}

const witnessShape = Compile(Type.Object({ epoch: Type.String(), seq: Type.Integer(), head: Type.String() }));

async function witnessOf(context: Context, path: string): Promise<Known> {
  const text = await readText(context, path);
  try {
    const value: unknown = JSON.parse(text);
    if (witnessShape.Check(value)) {
      // The lease that names it is for the server: what is proved here is the position.
      const { epoch, seq, head } = value;
      return { what: 'the witness', epoch, seq, head, seen: true };
    }
  } catch {
    // Said below.
  }
  throw usage(
    `${quote(path)} holds no witness.`,
    'Give the file witness.json of a client: { "epoch", "seq", "head" }.',
  );
}

function provedText(context: Context, proved: Proved | ProvedChain, { serverKey, known }: Against): string {
  const pinned = serverKey !== null;
  return fields([
    [
      'verdict',
      pinned
        ? 'whole and unchanged'
        : 'whole and unchanged, of the server it names itself: give --server-key to know which',
    ],
    ['server', proved.serverKey],
    ['records', `${proved.from} to ${proved.until}`],
    ['files', filesText(proved)],
    ['before them', before(proved)],
    ['signed', momentWords(proved.signedAtMs, context.nowMs())],
    ['checkpoints', `${proved.checkpoints} on the way`],
    ['held against', known.length === 0 ? undefined : `${proved.compared} of ${known.length} that lie in it`],
    ['head', proved.head],
  ]);
}

/** Several, each with what it has, oldest first. */
function filesText(proved: Proved | ProvedChain): string | undefined {
  if (!('files' in proved)) return undefined;
  return proved.files.map(({ file, from, until }) => `${file} (${from} to ${until})`).join(', ');
}

/** A file that begins later stands on what comes before it, by the hash in its first line. */
function before({ from, prev, follows }: Proved): string | undefined {
  if (from === 1) return undefined;
  const signed = follows
    ? ', as the server signed it: the file that ends with this head is what comes before'
    : '; what comes before is in another file, which ends with this head';
  return `record ${from - 1}, head ${prev}${signed}`;
}

/** Whole is only what is there: who cut off the beginning has a file that is whole too. */
function lateNotes({ from, prev, follows }: Proved): string[] {
  if (from === 1 || follows) return [];
  return [
    `Warning: the file begins with record ${from}, and no signature in it covers what comes before. That nothing was left out there is shown by the file before it alone, which ends with the head ${prev}.`,
  ];
}

/** The file has nothing of what a restore gave up, and says that there was one: who compares is told, and judges whether they know of it. */
function restoreNotes(context: Context, { givenUp }: Proved): string[] {
  return givenUp.map(
    ({ what, at, seq, restoredAtMs }) =>
      `The server was restored ${momentWords(restoredAtMs, context.nowMs())}, in record ${seq}: record ${at}, which ${what} names, is of before that and was given up with it, so ${what} proves nothing here. Who answered for the restore: berth audit list --kind restore`,
  );
}

/** What is most likely a wrong file or key is no alarm; it is proved to be nothing all the same. */
const notBroken: Partial<Record<Broken['reason'], string>> = {
  HEAD: 'Give a file that `berth audit export` wrote, as it was written.',
  SERVER_KEY:
    'Give the key of the server whose audit this is: `berth whoami` of somebody who has joined it. If that is the key you gave, the file is of another server.',
  CHECKPOINT: 'Give a checkpoint of the same server.',
};

function brokenFailure(file: string, { message, reason, seq, line }: Broken): Failure {
  const other = notBroken[reason];
  return new Failure('AUDIT_BROKEN', {
    message:
      other === undefined
        ? `${quote(file)} is not as the server wrote it. ${message}`
        : `${quote(file)}: ${message}`,
    ...(other === undefined ? {} : { next: other }),
    detail: { more: { reason, seq, line } },
  });
}

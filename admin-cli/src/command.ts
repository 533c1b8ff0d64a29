import type { Argv, InferredOptionTypes, Options } from 'yargs';
import type { Context } from './context.js';
import { showDashes } from './dash.js';
import { ofDryRun, usage } from './fail.js';
import type { Answer } from './output.js';

/** Options or positionals by name, as yargs wants them. */
export type OptionTable = { readonly [name: string]: Options };
/** No options, or no positionals. */
export type None = Record<never, never>;

/** The arguments of a command, typed by its two tables. */
export type Args<P extends OptionTable, O extends OptionTable> = InferredOptionTypes<P & O>;

/** One command, as its file declares it. */
interface Declaration<P extends OptionTable, O extends OptionTable> {
  /** As yargs wants it: `assign <email> <product>`. */
  readonly usage: string;
  readonly describe: string;
  readonly positionals?: P;
  readonly options?: O;
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Shown below the options. */
  readonly more?: string;
  /** Exit codes that mean something more precise here than everywhere, each with what it means. */
  readonly exits?: readonly (readonly [number, string])[];
  /** What to do next when it was done and stdout could not take what it prints: where the same command again would do more than print. */
  readonly lost?: string;
  /** stdout belongs to somebody else: not even a failure is printed there (`berth run`). */
  readonly ownsStdout?: false;
  /** An exit code instead of an Answer when there is nothing to print. */
  run(context: Context, args: Args<P, O>): Promise<Answer | number>;
}

/** What was typed, ready to be done. */
export interface Work {
  readonly ownsStdout: boolean;
  /** As declared; `null` when nothing is changed. */
  readonly lost: string | null | undefined;
  run(context: Context): Promise<Answer | number>;
}

/**
 * A command or a group of them: a row of the command table. yargs, the help, docs/cli.md, completion and "did you mean" read it, so
 * that a new command has all of them by being in `commands/all.ts`.
 */
export interface Command {
  readonly name: string;
  /** As in the help: `user invite <email>` without the words before it. */
  readonly usage: string;
  readonly describe: string;
  /** Those of a group; none of a command. */
  readonly commands: readonly Command[];
  readonly positionals: OptionTable;
  readonly options: OptionTable;
  readonly examples: readonly (readonly [string, string])[];
  readonly more: string | undefined;
  readonly exits: readonly (readonly [number, string])[];
  /** @param choose receives the work when this is the command that was typed. */
  register(parser: Argv, choose: (work: Work) => void): void;
}

export function defineCommand<P extends OptionTable = None, O extends OptionTable = None>(
  declaration: Declaration<P, O>,
): Command {
  const positionals: OptionTable = declaration.positionals ?? {};
  const options: OptionTable = declaration.options ?? {};
  const build = (parser: Argv): Argv => {
    for (const [name, row] of Object.entries(positionals)) parser.positional(name, row as { type: 'string' });
    for (const [name, row] of Object.entries(options))
      parser.option(name, { requiresArg: takesValue(row), ...row });
    return parser.epilogue(epilogueOf(declaration));
  };
  const { describe, examples, more, exits = [] } = declaration;
  return {
    name: declaration.usage.split(' ')[0]!,
    usage: declaration.usage,
    commands: [],
    ...{ describe, positionals, options, examples, more, exits },
    register: (parser, choose) => {
      parser.command(declaration.usage, declaration.describe, build, (args) => {
        choose({
          ownsStdout: declaration.ownsStdout ?? true,
          lost: args['dry-run'] === true ? null : declaration.lost,
          run: async (context) => {
            refuseTwice({ ...positionals, ...options }, args);
            try {
              return await declaration.run(context, showDashes(args) as Args<P, O>);
            } catch (error) {
              throw args['dry-run'] === true ? ofDryRun(error) : error;
            }
          },
        });
      });
    },
  };
}

/** `berth user …`: commands under one word. */
export function defineGroup(name: string, describe: string, commands: readonly Command[]): Command {
  return {
    name,
    usage: `${name} <command>`,
    describe,
    commands,
    ...{ positionals: {}, options: {}, examples: [], more: undefined, exits: [] },
    register: (parser, choose) => {
      parser.command(`${name} <command>`, describe, (inner) => {
        for (const command of commands) command.register(inner, choose);
        return inner.demandCommand(1);
      });
    },
  };
}

/** Each example by itself, ready to be copied: yargs would put it in a column and break it. */
function epilogueOf({ examples, more, exits = [] }: Pick<Command, 'examples'> & Partial<Command>): string {
  const codes = exits.length === 0 ? [] : ['Exit codes:', ...exits.map(exitLine), ''];
  const lines = examples.flatMap(([line, what]) => [`  # ${what}`, ...folded(line)]);
  return [...(more === undefined ? [] : [more, '']), ...codes, 'Examples:', ...lines].join('\n');
}

/** Columns that an example may take: yargs would break a longer line, and what is copied would be two commands. */
const EXAMPLE_COLUMNS = 78;

/** A command over as many lines as it needs, as a shell reads it; an option stays with its value. */
function folded(command: string): string[] {
  const lines: string[] = [];
  let line = ' ';
  for (const word of command.match(/(?:-\S* (?!-))?(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []) {
    if (line.trim() !== '' && line.length + word.length + 3 > EXAMPLE_COLUMNS) {
      lines.push(`${line} \\`);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

const exitLine = ([code, meaning]: readonly [number, string]): string =>
  `  ${String(code).padEnd(3)}  ${meaning}`;

/** True of an option that is followed by a value. */
export const takesValue = (row: Options): boolean => row.type !== 'boolean';

/** yargs makes a list of an option that is given twice; for one that takes a single value that is a mistake of the caller. */
export function refuseTwice(table: OptionTable, args: Record<string, unknown>): void {
  for (const [name, row] of Object.entries(table)) {
    if (row.array !== true && Array.isArray(args[name])) throw usage(`--${name} is given more than once.`);
  }
}

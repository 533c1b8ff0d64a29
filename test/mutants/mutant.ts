/** One change of the compiled code: the text must be there exactly once, so that a mutant cannot rot unseen. */
export interface Edit {
  /** In the workspace, e.g. `server/dist/engine/engine.js`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A fault planted on purpose: the simulator must find it, or it has a hole. */
export interface Mutant {
  readonly name: string;
  /** The rule it breaks: an invariant of DESIGN 3, or a word for what else is promised. */
  readonly rule: string;
  /** What the fault is, for the table. */
  readonly text: string;
  readonly edits: readonly Edit[];
  /** It shows where servers are made of backups: `--restores`. */
  readonly restores?: boolean;
}

export function mutant(name: string, rule: string, text: string, ...edits: readonly Edit[]): Mutant {
  return { name, rule, text, edits };
}

export function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace };
}

/** The file with the edits made. Throws when a text is not there exactly once. */
export function edited(content: string, edits: readonly Edit[], name: string): string {
  return edits.reduce((text, { file, find, replace }) => {
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`mutant ${name}: ${count} times in ${file}, not once: ${find}`);
    return text.replace(find, () => replace);
  }, content);
}

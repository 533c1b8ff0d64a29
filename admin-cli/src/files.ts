import { errors } from '@berth/protocol';
import type { Context, Files, Sink } from './context.js';
import { Failure } from './fail.js';
import { quote } from './parse.js';

/** A context, as far as it is about files. */
export interface OnDisk<K extends keyof Files> {
  readonly files: Pick<Files, K>;
}

/** The text of a file, or of stdin for `-`. */
export async function readText(context: Context, path: string): Promise<string> {
  if (path === '-') return await context.stdin.readAll();
  try {
    return await context.files.read(path);
  } catch (error) {
    const isTooLarge = error instanceof TooLarge;
    throw new Failure('FILE_UNREADABLE', {
      message: `The file ${quote(path)} cannot be read: ${reason(error)}.`,
      ...(isTooLarge ? { next: 'Split it, or leave out the columns that are not read.' } : {}),
    });
  }
}

/** Of a file or stdin that has more than is ever read. */
export class TooLarge extends Error {}

/** Writes a file; `exclusive` refuses to replace one, and leaves none that is not whole. @param mode permission bits. */
export async function writeText(
  context: Context,
  path: string,
  text: string,
  { mode = 0o644, exclusive = false } = {},
): Promise<void> {
  if (exclusive) return await toNewFile(context, path, (sink) => sink.write(text), mode);
  try {
    await context.files.write(path, text, mode);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Begins a file that is written piece by piece. */
export async function openSink(
  context: OnDisk<'create'>,
  path: string,
  { mode = 0o644, exclusive = false } = {},
): Promise<Sink> {
  try {
    const sink = await context.files.create(path, mode, exclusive);
    const failing = async (work: Promise<void>): Promise<void> => {
      await work.catch((error: unknown) => {
        throw unwritable(path, error);
      });
    };
    return { write: (text) => failing(sink.write(text)), close: () => failing(sink.close()) };
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw fileExists(path);
    throw unwritable(path, error);
  }
}

/** Writes a file that was not there, whole and durable; what is not does not stay. @throws Failure FILE_EXISTS: it is not touched */
export async function toNewFile<T>(
  context: OnDisk<'create' | 'remove'>,
  path: string,
  write: (sink: Sink) => Promise<T>,
  mode = 0o600,
): Promise<T> {
  const sink = await openSink(context, path, { mode, exclusive: true });
  try {
    const written = await write(sink).catch(async (error: unknown) => {
      await sink.close().catch(() => undefined);
      throw error;
    });
    await sink.close();
    return written;
  } catch (error) {
    await context.files.remove(path).catch(() => undefined);
    throw error;
  }
}

/**
 * The lines of a file of any size; the last one, too, must have an end. What is not UTF-8 makes a line of its own that is empty: no two files
 * are read as the same lines.
 */
export async function* readLines(
  context: OnDisk<'chunks'>,
  path: string,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Uint8Array[] = [];
  const line = (last: Uint8Array): string => {
    const bytes = Buffer.concat([...rest, last]);
    rest = [];
    try {
      return decoder.decode(bytes);
    } catch {
      return '';
    }
  };
  try {
    for await (const chunk of context.files.chunks(path)) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
        yield line(chunk.subarray(from, at));
        from = at + 1;
      }
      rest.push(chunk.subarray(from));
    }
  } catch (error) {
    throw new Failure('FILE_UNREADABLE', {
      message: `The file ${quote(path)} cannot be read: ${reason(error)}.`,
    });
  }
  if (rest.some((part) => part.length > 0)) yield '';
}

/** The bytes of a file of any size. */
export async function* readChunks(
  context: Context,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* context.files.chunks(path);
  } catch (error) {
    throw new Failure('FILE_UNREADABLE', {
      message: `The file ${quote(path)} cannot be read: ${reason(error)}.`,
    });
  }
}

const NEWLINE = 0x0a;

export async function makeFolder(context: Context, path: string): Promise<void> {
  try {
    await context.files.makeFolder(path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

export function fileExists(path: string): Failure {
  return new Failure('FILE_EXISTS', { message: `The file ${quote(path)} exists and is not replaced.` });
}

function unwritable(path: string, error: unknown): Failure {
  return new Failure('FOLDER_UNWRITABLE', {
    message: `${quote(path)} cannot be written: ${reason(error)}.`,
    next: 'Check the path, its permissions and the free space.',
  });
}

/** What a command printed did not arrive, and whoever reads it is still there. */
export class OutputLost extends Failure {
  constructor(error: unknown, { done = '', next = errors.OUTPUT_LOST.next } = {}) {
    super('OUTPUT_LOST', { message: `stdout cannot be written: ${reason(error)}.${done}`, next });
    this.cause = error;
  }

  /** The same, of a command that had come to its end. @param lost what it said of that, `null` when it has changed nothing */
  after(lost: string | null | undefined): OutputLost {
    if (lost === null) return this;
    return new OutputLost(this.cause, {
      done: ' What the command does is done; only what it prints is lost.',
      next:
        lost ??
        'Free some space. What was only asked can be asked again; look at a change before you repeat it.',
    });
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

const reasons = new Map<unknown, string>([
  ['ENOENT', 'there is no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EEXIST', 'it exists and is not a folder'],
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the disk is read-only'],
  ['EDQUOT', 'no more space is allowed to this user'],
]);

function reason(error: unknown): string {
  return reasons.get(codeOf(error)) ?? (error instanceof Error ? error.message : String(error));
}

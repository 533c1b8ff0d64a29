/**
 * TypeScript with everything that is not code blanked out: comments, and the insides of strings, templates and regular
 * expressions. Every character keeps its place, so an index or a line found in `code` is right in the source too.
 */
export interface Blanked {
  readonly code: string;
  readonly comments: readonly Comment[];
}

export interface Comment {
  readonly text: string;
  readonly line: number;
}

/** Reads TypeScript only as far as the rules need it: what is code and what is not. */
export function blank(text: string): Blanked {
  return new Scan(text).run();
}

/** The line, from 1, on which a character stands. */
export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < index; i = text.indexOf('\n', i + 1)) line += 1;
  return line;
}

class Scan {
  readonly #text: string;
  readonly #code: string[];
  readonly #comments: Comment[] = [];
  /** Braces open inside each template expression that is open, the innermost last. */
  readonly #braces: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#code = text.split('');
  }

  run(): Blanked {
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at]!);
    return { code: this.#code.join(''), comments: this.#comments };
  }

  #step(char: string): void {
    const two = this.#text.slice(this.#at, this.#at + 2);
    if (two === '//' || two === '/*') this.#comment(two);
    else if (char === "'" || char === '"') this.#skip(endOfQuoted(this.#text, this.#at, char), 1);
    else if (char === '/' && beginsRegExp(this.#code, this.#at))
      this.#skip(endOfRegExp(this.#text, this.#at), 1);
    else if (char === '`' || (char === '}' && this.#braces.at(-1) === 0)) {
      if (char === '}') this.#braces.pop();
      this.#at += 1;
      this.#templateText();
    } else {
      this.#count(char);
      this.#at += 1;
    }
  }

  #comment(opening: string): void {
    const found = this.#text.indexOf(opening === '//' ? '\n' : '*/', this.#at + 2);
    const end = found < 0 ? this.#text.length : found + (opening === '//' ? 0 : 2);
    this.#comments.push({ text: this.#text.slice(this.#at, end), line: lineOf(this.#text, this.#at) });
    this.#skip(end, 0);
  }

  #templateText(): void {
    let end = this.#at;
    while (end < this.#text.length && this.#text[end] !== '`' && !this.#text.startsWith('${', end)) {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const isOpen = this.#text[end] === '$';
    this.#skip(end, 0);
    this.#at += isOpen ? 2 : 1;
    if (isOpen) this.#braces.push(0);
  }

  #count(char: string): void {
    const last = this.#braces.length - 1;
    if (last >= 0 && char === '{') this.#braces[last]! += 1;
    if (last >= 0 && char === '}') this.#braces[last]! -= 1;
  }

  /** Blanks up to `end` but for `kept` characters on either side, and goes on behind it. */
  #skip(end: number, kept: number): void {
    for (let i = this.#at + kept; i < end - kept; i += 1) if (this.#code[i] !== '\n') this.#code[i] = ' ';
    this.#at = end;
  }
}

/** @returns the index behind the closing quote. */
function endOfQuoted(text: string, at: number, quote: string): number {
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
  return Math.min(end + 1, text.length);
}

/** @returns the index behind the closing slash. */
function endOfRegExp(text: string, at: number): number {
  let end = at + 1;
  let inClass = false;
  while (end < text.length && text[end] !== '\n' && (inClass || text[end] !== '/')) {
    if (text[end] === '[') inClass = true;
    if (text[end] === ']') inClass = false;
    end += text[end] === '\\' ? 2 : 1;
  }
  return Math.min(end + 1, text.length);
}

/** A slash divides after a value, also one marked not null (`a!`); after anything else it begins a regular expression. */
function beginsRegExp(code: readonly string[], at: number): boolean {
  let end = at;
  while (end > 0 && /\s/.test(code[end - 1]!)) end -= 1;
  let start = end;
  while (start > 0 && /[\w$]/.test(code[start - 1]!)) start -= 1;
  const word = code.slice(start, end).join('');
  if (word !== '') return /^(return|typeof|case|in|of|await|yield|void|delete|throw|else|do)$/.test(word);
  if (code[end - 1] === '!') return !/[\w$)\]]/.test(code[end - 2] ?? '');
  return !/[)\]'"`]/.test(code[end - 1] ?? '');
}

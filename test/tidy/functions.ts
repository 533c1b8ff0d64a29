import { lineOf } from './blank.js';
import type { Source } from './sources.js';

export interface FunctionBody {
  readonly line: number;
  /** From the line of its opening brace to that of its closing one. */
  readonly lines: number;
}

/** The functions of a file that have a body in braces: an opening brace behind `=>` or behind a parameter list. */
export function functionsOf({ code }: Source): FunctionBody[] {
  const opened: { readonly at: number; readonly isFunction: boolean }[] = [];
  const bodies: FunctionBody[] = [];
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === '{') opened.push({ at, isFunction: opensFunction(code, at) });
    if (code[at] !== '}') continue;
    const block = opened.pop();
    if (block?.isFunction !== true) continue;
    const line = lineOf(code, block.at);
    bodies.push({ line, lines: lineOf(code, at) - line + 1 });
  }
  return bodies;
}

function opensFunction(code: string, at: number): boolean {
  const close = code.lastIndexOf(')', at);
  const between = code.slice(close + 1, at).trim();
  if (between.endsWith('=>')) return true;
  if (close < 0 || !isReturnType(between)) return false;
  return !/\b(if|for|while|switch|catch|await)\s*$/.test(beforeParenthesis(code, close));
}

/** Nothing, `: Type`, or the end of a function type (`=> Type`): no statement is in it but the members of a type in braces. */
function isReturnType(between: string): boolean {
  const flat = between.replaceAll(/\{[^{}]*\}/g, '');
  return flat === '' || /^(:|=>)[^;={}]*$/.test(flat);
}

/** What stands before the parenthesis that the one at `close` closes. */
function beforeParenthesis(code: string, close: number): string {
  let depth = 0;
  for (let at = close; at >= 0; at -= 1) {
    if (code[at] === ')') depth += 1;
    if (code[at] === '(') depth -= 1;
    if (depth === 0) return code.slice(Math.max(0, at - 20), at);
  }
  return '';
}

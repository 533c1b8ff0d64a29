import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { askedBy, help, type Measuring } from './asked.js';
import { type Suite, sayWhenSettled } from './bench.js';
import { LIFTED } from './bench-site.js';
import { circumstances } from './circumstances.js';
import { writeDocs } from './docs.js';
import { rowsIn } from './lines.js';
import { newParts, partsText } from './profile-parts.js';
import { head, lineOf, type Row } from './report.js';
import { suites } from './suites.js';

/** @returns the exit code */
async function main(): Promise<number> {
  const asked = askedBy(process.argv.slice(2), suites);
  if (typeof asked === 'string') return refused(asked);
  if (asked.do === 'measure') return measure(asked);
  if (asked.do === 'write') return writeFrom(asked.from);
  console.log(help(suites));
  return 0;
}

function refused(why: string): number {
  console.error(`${why}\nSee npm run bench -- --help.`);
  return 2;
}

function writeFrom(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return refused(`--from: ${said(error)}. Give a file of lines that --json has said.`);
  }
  const rows = rowsIn(text, suites);
  if (typeof rows === 'string') return refused(`--from: ${rows}`);
  writeDocs(rows);
  return 0;
}

async function measure(asked: Measuring<Suite>): Promise<number> {
  const { runs, seconds, connections, json } = asked;
  const profile = asked.profile === null ? null : resolve(asked.profile);
  const fault = profile === null ? null : folderFault(profile);
  if (fault !== null) return refused(`--cpu-prof: ${fault}. Give a folder that can be written.`);
  const lifted = Object.entries(LIFTED).map(([key, value]) => `${key} = ${value}`);
  const on = circumstances(seconds);
  // On stderr also with --json: who keeps the lines must be able to know what they are worth.
  console.error(`${on.node}, load average ${on.load}. Limits of production, except ${lifted.join(', ')}.`);
  for (const note of asked.notes) console.error(note);
  const say = (line: string): void => void (json || console.error(line));
  say(head);
  const rows: Row[] = [];
  const marked = (row: Row): Row => ({ ...row, on: circumstances(seconds) });
  const emit = (row: Row): void => {
    rows.push(row);
    console.log(json ? JSON.stringify(row) : lineOf(row));
  };
  const failed: string[] = [];
  const part = asked.small ? 0.01 : 1;
  for (const suite of asked.suites) {
    const before = new Set(profile === null ? [] : readdirSync(profile));
    say(`${suite.name}: its rows are told at its end`);
    const options = { runs, connections, part, profile, ms: seconds * 1000, emit, say };
    await sayWhenSettled(suite, options, marked).catch((error: unknown) => {
      console.error(`${suite.name}: ${said(error)}`);
      failed.push(suite.name);
    });
    if (profile !== null) for (const parts of newParts(profile, before)) console.error(partsText(parts));
  }
  if (asked.writeDocs) report(rows, failed);
  return failed.length === 0 ? 0 : 1;
}

function report(rows: readonly Row[], failed: readonly string[]): void {
  if (failed.length === 0) writeDocs(rows);
  else
    console.error(
      `docs/performance.md is as it was: ${failed.join(', ')} failed. Mend what is said above and run again.`,
    );
}

function folderFault(folder: string): string | null {
  try {
    // Not recursive: below /proc that never ends in Node 20.
    if (!existsSync(folder)) mkdirSync(folder);
    if (!statSync(folder).isDirectory()) return `${folder} is a file`;
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return said(error);
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(said(error));
  process.exitCode = 1;
}

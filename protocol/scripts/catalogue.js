#!/usr/bin/env node
// Writes openapi.json, asyncapi.json and the tables of PROTOCOL.md that repeat what src/ defines: errors, denial rules, close codes, limits. `--check` only says whether they
// are up to date. Needs `npx tsc -b protocol`.
import { readFileSync, writeFileSync } from 'node:fs';
// The documents for tools repeat the same tables: one command brings all up to date.
import './api-documents.js';
import { closeCodes, errors, httpRequests, httpStatusOf, limits, requests, rules } from '../dist/index.js';

const documentPath = new URL('../PROTOCOL.md', import.meta.url);
const cell = (value) => String(value).replaceAll('|', '\\|');

/** A table as Biome formats Markdown: every column padded to its widest cell. */
function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => [...row[column]].length)));
  const line = (row) => `| ${row.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`;
  const [first, ...others] = all;
  return [line(first), line(widths.map((width) => '-'.repeat(width))), ...others.map(line)].join('\n');
}

const yes = (value) => (value ? 'yes' : 'no');

/** The comment above each limit is its reason (STYLE 9); written once, in the source. */
function limitReasons() {
  const source = readFileSync(new URL('../src/limits.ts', import.meta.url), 'utf8');
  return Object.fromEntries(
    [...source.matchAll(/\/\*\* ([\s\S]*?) \*\/\n\s+(\w+):/g)].map(([, text, name]) => [
      name,
      text.replaceAll(/\s*\n\s*\*?\s*/g, ' '),
    ]),
  );
}

function limitTable() {
  const reasons = limitReasons();
  const rows = Object.entries(limits).map(([name, value]) => [`\`${name}\``, value, reasons[name]]);
  for (const [name, , reason] of rows)
    if (reason === undefined) throw new Error(`limits.ts gives no reason for ${name}`);
  return table(['limit', 'value', 'reason'], rows);
}

/** Everything a signed request can be answered with: what any request can, and the errors of the three messages. */
function httpStatusTable() {
  const general = [
    ...['CHALLENGE_STALE', 'SIGNATURE_INVALID', 'DEVICE_UNKNOWN', 'REQUEST_REPLAYED', 'FRAME_INVALID'],
    ...['DRAINING', 'RATE_LIMITED', 'BUSY', 'NOT_ALLOWED', 'PARAMS_INVALID', 'INTERNAL'],
  ];
  const own = Object.values(httpRequests).flatMap(({ method }) => requests[method].errors);
  const codes = [...new Set([...general, ...own])];
  const statuses = [...new Set(codes.map(httpStatusOf))].sort((a, b) => a - b);
  return table(
    ['status', 'codes'],
    statuses.map((status) => [
      status,
      codes
        .filter((code) => httpStatusOf(code) === status)
        .map((code) => `\`${code}\``)
        .join(', '),
    ]),
  );
}

const blocks = {
  errors: table(
    ['code', 'number', 'retry', 'exit', 'text', 'next step'],
    Object.entries(errors).map(([code, row]) => [
      `\`${code}\``,
      row.number,
      yes(row.retryable),
      row.exit,
      row.text,
      row.next,
    ]),
  ),
  rules: table(
    ['rule', 'meaning'],
    Object.entries(rules).map(([rule, text]) => [`\`${rule}\``, text]),
  ),
  'close codes': table(
    ['number', 'name', 'reconnect by itself', 'meaning'],
    Object.entries(closeCodes).map(([name, row]) => [
      row.number,
      `\`${name}\``,
      yes(row.reconnect),
      row.text,
    ]),
  ),
  limits: limitTable(),
  'http status': httpStatusTable(),
};

const before = readFileSync(documentPath, 'utf8');
let after = before;
for (const [name, text] of Object.entries(blocks)) {
  const [begin, end] = [`<!-- begin ${name}: written by scripts/catalogue.js -->`, `<!-- end ${name} -->`];
  const [from, to] = [after.indexOf(begin), after.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`PROTOCOL.md has no place for "${name}"`);
  after = `${after.slice(0, from + begin.length)}\n\n${text}\n\n${after.slice(to)}`;
}

if (!process.argv.includes('--check')) writeFileSync(documentPath, after);
else if (after !== before) {
  console.error('PROTOCOL.md is out of date: run node protocol/scripts/catalogue.js');
  process.exitCode = 1;
}

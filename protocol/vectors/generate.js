#!/usr/bin/env node
// Writes the vectors beside this file, or checks with `--check` that they are what it would write. Deterministic: fixed seeds, no clock.
import { readFileSync, writeFileSync } from 'node:fs';
import { chainVectors } from '../scripts/vectors/chain.js';
import { ed25519Vectors } from '../scripts/vectors/ed25519.js';
import { frameVectors } from '../scripts/vectors/frames.js';
import { httpRequestVectors } from '../scripts/vectors/http-requests.js';
import { journalVectors } from '../scripts/vectors/journal.js';
import { linkVectors } from '../scripts/vectors/links.js';
import { tokenVectors } from '../scripts/vectors/tokens.js';
import { transcriptVectors } from '../scripts/vectors/transcript.js';
import { windowVectors } from '../scripts/vectors/windows.js';

const files = {
  'chain.json': chainVectors,
  'ed25519.json': ed25519Vectors,
  'frames.json': frameVectors,
  'http-requests.json': httpRequestVectors,
  'journal.json': journalVectors,
  'links.json': linkVectors,
  'tokens.json': tokenVectors,
  'transcript.json': transcriptVectors,
  'windows.json': windowVectors,
};

const check = process.argv.includes('--check');
for (const [name, make] of Object.entries(files)) {
  const path = new URL(name, import.meta.url);
  const text = `${JSON.stringify(make(), null, 2)}\n`;
  if (!check) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${name} is out of date: run node protocol/vectors/generate.js`);
    process.exitCode = 1;
  }
}

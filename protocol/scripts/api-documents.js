#!/usr/bin/env node
// Writes openapi.json and asyncapi.json from the one message table: what tools read instead of PROTOCOL.md, which stays the text that
// counts. `--check` only says whether they are up to date. Needs `npx tsc -b protocol`.
import { readFileSync, writeFileSync } from 'node:fs';
import { asyncApi } from './api/asyncapi.js';
import { openApi } from './api/openapi.js';

for (const [name, make] of Object.entries({ 'openapi.json': openApi, 'asyncapi.json': asyncApi })) {
  const path = new URL(`../${name}`, import.meta.url);
  const text = `${JSON.stringify(make(), null, 2)}\n`;
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`protocol/${name} is out of date: run node protocol/scripts/api-documents.js`);
    process.exitCode = 1;
  }
}

#!/usr/bin/env node
// Committed JavaScript, not under dist/, so that `npm ci` can link it before anything is built (issue 2, part 1).
import { existsSync } from 'node:fs';
import { isFresh, load } from './bundle.js';

const inManyFiles = new URL('../dist/main.js', import.meta.url);

if (isFresh()) {
  await load().exports.start();
} else if (existsSync(inManyFiles)) {
  const { start } = await import(inManyFiles.href);
  await start();
} else {
  process.stderr.write('berth: not built; run npm run build\n');
  process.exitCode = 1;
}

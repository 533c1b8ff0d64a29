#!/usr/bin/env node
// Committed, not built, so that `npm ci` can link it. One process: a signal to this pid reaches the server.
import { existsSync } from 'node:fs';
import { isFresh, load } from './bundle.js';

const inManyFiles = new URL('../dist/main.js', import.meta.url);

if (isFresh()) {
  await load().exports.start();
} else if (existsSync(inManyFiles)) {
  const { start } = await import(inManyFiles.href);
  await start();
} else {
  process.stderr.write('berthd: not built. Run: npm run build\n');
  process.exitCode = 1;
}

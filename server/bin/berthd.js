#!/usr/bin/env node
// Committed, not built, so that `npm ci` can link it. One process: a signal to this pid reaches the server.
import { existsSync } from 'node:fs';
import { bundleFile, isFresh } from './bundle.js';

const main = isFresh() ? bundleFile : new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('berthd: not built. Run: npm run build\n');
  process.exitCode = 1;
}

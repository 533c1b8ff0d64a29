#!/usr/bin/env node
// Committed JavaScript, not under dist/, so that `npm ci` can link it before anything is built (issue 2, part 1).
import { existsSync } from 'node:fs';
import { bundleFile, isFresh } from './bundle.js';

const main = isFresh() ? bundleFile : new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  const { start } = await import(main.href);
  await start();
} else {
  process.stderr.write('berth: not built; run npm run build\n');
  process.exitCode = 1;
}

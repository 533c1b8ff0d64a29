import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { protocolFolder } from './vectors.js';

test('the committed vectors are what their generator writes', () => {
  const generator = fileURLToPath(new URL('vectors/generate.js', protocolFolder));
  // Throws with the names of the files that differ.
  execFileSync(process.execPath, [generator, '--check'], { encoding: 'utf8', stdio: 'pipe' });
});

test('every vector file has a test here', () => {
  const vectors = readdirSync(new URL('vectors/', protocolFolder)).filter((name) => name.endsWith('.json'));
  const tests = readdirSync(new URL('.', import.meta.url));
  for (const name of vectors) expect(tests).toContain(name.replace('.json', '.test.ts'));
});

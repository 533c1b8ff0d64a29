import { expect, test } from 'vitest';
import { sources } from './sources.js';

/** A function of a file, without its first line. */
function bodyOf(path: string, name: string): string {
  const { text } = sources.find((source) => source.path === path)!;
  return new RegExp(`^function ${name}\\(.*\\n([^]*?)^\\}$`, 'm').exec(
    text.replaceAll('export function', 'function'),
  )![1]!;
}

// Neither program may import the other, and no package that both have does I/O for them: so it stands twice, and is mended twice.
test.each(['writeAll', 'pause'])('both programs have the same %s for their streams', (name) => {
  expect(bodyOf('server/src/ops/stdio.ts', name)).toBe(bodyOf('admin-cli/src/stdio.ts', name));
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeEach, describe, test } from 'vitest';
import { pythonFolder, whyNoPython } from '../system/python.js';

// The client written from PROTOCOL.md alone gives the verdicts of the vectors (examples/python/test_vectors.py), and is not shaken by a
// server that talks nonsense (test_client.py).

const missing = whyNoPython();

describe('examples/python/berth.py', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  // At once: much of the time a test of broken servers waits for a limit to pass.
  test.for(['test_vectors', 'test_client'])(
    '%s',
    { concurrent: true, timeout: 180_000 },
    async (module, { expect }) => {
      // One that fails rejects, with all that it said.
      const { stderr } = await promisify(execFile)('python3', ['-B', '-m', 'unittest', module], {
        cwd: pythonFolder,
      });
      // A module without tests also succeeds.
      expect(Number(/^Ran (\d+) tests? in /m.exec(stderr)?.[1])).toBeGreaterThan(9);
    },
  );
});

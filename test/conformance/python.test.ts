import { spawnSync } from 'node:child_process';
import { beforeEach, describe, expect, test } from 'vitest';
import { pythonFolder, whyNoPython } from '../system/python.js';

// The client written from PROTOCOL.md alone gives the verdicts of the vectors (examples/python/test_vectors.py), and is not shaken by a
// server that talks nonsense (test_client.py).

const missing = whyNoPython();

describe('examples/python/berth.py', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
  });

  test.each(['test_vectors', 'test_client'])(
    '%s',
    (module) => {
      const ran = spawnSync('python3', ['-B', '-m', 'unittest', module], {
        cwd: pythonFolder,
        encoding: 'utf8',
      });
      expect(ran.status, ran.stderr).toBe(0);
      // A module without tests also succeeds.
      expect(Number(/^Ran (\d+) tests? in /m.exec(ran.stderr)?.[1])).toBeGreaterThan(9);
    },
    60_000,
  );
});

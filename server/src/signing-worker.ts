// The thread that signs (signing-thread.ts): texts in, signatures out, in the same order. It has the key and nothing else, and imports nothing of
// ours, so that it is the same file beside the bundle as without one.
import { type KeyObject, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

const key = workerData as KeyObject;

parentPort!.on('message', (texts: readonly string[]) => {
  parentPort!.postMessage(
    texts.map((text) => sign(null, Buffer.from(text, 'latin1'), key).toString('base64url')),
  );
});

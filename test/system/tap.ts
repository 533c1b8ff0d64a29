// Loaded into a process with `node --import`: writes down what the process says to a licence server and hears from it, frame by frame
// and before anything of Berth has looked at it, for the auditor. BERTH_TAP names the folder, BERTH_TAP_NAME the process.
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import type { Happening } from '../auditor/history.js';
import { Observer } from '../auditor/observer.js';

const folder = process.env.BERTH_TAP;
if (folder !== undefined) tap(folder, `${process.env.BERTH_TAP_NAME ?? 'process'}-${process.pid}`);

function tap(into: string, name: string): void {
  const write = writer(into, name);
  const observers = new WeakMap<WebSocket, Observer>();
  const observerOf = (socket: WebSocket): Observer => {
    const observer = observers.get(socket) ?? new Observer(write, nowMs);
    observers.set(socket, observer);
    return observer;
  };
  // Required, as `berth` does: to import it costs every process a fifth of its start (decision 0019). It is the same module.
  const { prototype } = (createRequire(import.meta.url)('ws') as typeof import('ws')).WebSocket;
  const { send, emit } = prototype;
  prototype.send = function (this: WebSocket, data: unknown, ...rest: unknown[]) {
    observerOf(this).sent(data);
    return (send as (...all: unknown[]) => void).call(this, data, ...rest);
  } as typeof send;
  prototype.emit = function (this: WebSocket, event: string | symbol, ...rest: unknown[]) {
    if (event === 'message') observerOf(this).heard(rest[0]);
    return (emit as (...all: unknown[]) => boolean).call(this, event, ...rest);
  } as typeof emit;
}

/** One write a line: a SIGKILL leaves whole lines behind, but perhaps for the last. */
function writer(into: string, name: string): (happening: Happening) => void {
  const file = openSync(join(into, `${name}.jsonl`), 'a');
  return (happening) => {
    writeSync(file, `${JSON.stringify({ t: nowMs(), wallMs: Date.now(), process: name, ...happening })}\n`);
  };
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

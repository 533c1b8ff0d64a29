import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, nodeHost } from '@berth/client';
import type { Happening } from '../auditor/history.js';
import { Observer } from '../auditor/observer.js';
import type { Gateway } from './gateway.js';

/**
 * Node's host for one client, every frame of it written down for the auditor before anything of Berth has looked at it. Several clients
 * share a process, so each is a process of its own to the auditor.
 */
export function tappedHost(logs: string, name: string, gateway?: Gateway): Host {
  const process = `${name}-${globalThis.process.pid}`;
  const file = openSync(join(logs, `${process}.jsonl`), 'a');
  // One write a line: a SIGKILL leaves whole lines behind, but perhaps for the last.
  const write = (happening: Happening): void => {
    writeSync(file, `${JSON.stringify({ t: nowMs(), wallMs: Date.now(), process, ...happening })}\n`);
  };
  const host = nodeHost();
  return {
    ...host,
    openSocket: async (url, options, events) => {
      await gateway?.pass();
      const observer = new Observer(write, nowMs);
      const onMessage = (text: string): void => {
        observer.heard(text);
        events.onMessage(text);
      };
      const socket = await host.openSocket(url, options, { ...events, onMessage, onClose: events.onClose });
      return {
        send: (text) => {
          observer.sent(text);
          socket.send(text);
        },
        close: () => socket.close(),
        exporter: () => socket.exporter(),
      };
    },
  };
}

/** The monotonic clock that all processes of a computer share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

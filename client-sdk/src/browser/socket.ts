import { BerthError } from '../errors.js';
import type { Socket, SocketEvents, SocketOptions } from '../host.js';
import { cancelled } from '../waiting.js';
import { unreachable } from './unreachable.js';

/**
 * The platform's WebSocket. The browser alone decides which certificates it trusts: `caPem` is of no use here, and the server proves
 * itself by its signature over the transcript (PROTOCOL 2.3).
 * @throws BerthError UNREACHABLE, TIMEOUT, CANCELLED
 */
export function openBrowserSocket(
  url: string,
  options: SocketOptions,
  events: SocketEvents,
): Promise<Socket> {
  const { signal } = options;
  if (signal?.aborted === true) return Promise.reject(cancelled());
  const ws = new WebSocket(url, [options.subprotocol]);
  let hasEnded = false;
  const end = (code: number) => {
    if (!hasEnded) events.onClose(code);
    hasEnded = true;
  };
  ws.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (hasEnded || typeof data !== 'string') return;
    // Its bytes are at least its characters; the platform cannot be told a limit beforehand.
    if (data.length <= options.maxFrameBytes) return events.onMessage(data);
    ws.close();
    end(1009);
  };
  ws.onclose = ({ code }) => end(code);
  return opened(ws, url, options).then(() => ({
    send: (text) => ws.send(text),
    close: () => {
      // The closing handshake of a dead connection takes minutes: whoever closes it is done now.
      ws.close(1000);
      queueMicrotask(() => end(1000));
    },
    exporter: () => null,
  }));
}

function opened(ws: WebSocket, url: string, { timeoutMs, signal }: SocketOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      settle();
    };
    const abandon = (reason: BerthError) => {
      ws.close();
      finish(() => reject(reason));
    };
    const late = () =>
      abandon(new BerthError('TIMEOUT', { message: `No answer within ${timeoutMs / 1000} s.` }));
    const onAbort = () => abandon(cancelled());
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    ws.addEventListener('open', () => finish(resolve), { once: true });
    ws.addEventListener('error', () => finish(() => reject(unreachable(url))), { once: true });
  });
}

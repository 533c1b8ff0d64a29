import { edit, type Mutant, mutant } from './mutant.js';

const clock = 'client-sdk/dist/seat-clock.js';

/** The SDK: when a seat is its client's. */
export const plantedInClients: readonly Mutant[] = [
  mutant(
    'held-after-D',
    'I2',
    'The client says that it holds a seat whose time is over.',
    edit(clock, "if (elapsed >= right.durationMs)\n            return 'lost';", ''),
    // Else the seat looks at its end again and again, in one moment.
    edit(clock, 'return Math.max(0, nextMs);', 'return Math.max(1_000, nextMs);'),
  ),
  mutant(
    'window-from-receipt',
    'I2',
    'The client counts from when the answer came, not from when it asked.',
    edit(
      'client-sdk/dist/heartbeat.js',
      'return { since: readClock(this.#host.clock), nonce: newNonce(this.#host) };',
      'const { clock } = this.#host;\n        return { get since() { return readClock(clock); }, nonce: newNonce(this.#host) };',
    ),
  ),
  mutant(
    'retry-moves-the-window',
    'I2',
    'A retry moves the moment from which the client counts.',
    edit(
      'client-sdk/dist/repeat.js',
      'options.onFirstSend?.(readClock(host.clock));\n            sent = true;\n        }',
      'sent = true;\n        }\n        options.onFirstSend?.(readClock(host.clock));',
    ),
  ),
  mutant(
    'wait-not-renewed',
    'I2',
    'A seat that came after a long wait counts from when it came.',
    edit(
      'client-sdk/dist/checkout.js',
      'if (oldMs <= shortestMs * RENEW_FIRST_FRACTION)\n        return leases;',
      'if (oldMs >= 0)\n        return leases.map((lease) => ({ ...lease, right: onlineRight(readClock(host.clock), lease.right.durationMs) }));',
    ),
  ),
  mutant(
    'live-ghost-released',
    'I1',
    'A process gives back the seats of another one that is alive.',
    edit(
      'client-sdk/dist/lease-record.js',
      "if (alive === false || record.client === 'closed')",
      "if (alive !== null || record.client === 'closed')",
    ),
  ),
  mutant(
    'suspend-not-counted',
    'I2',
    'The client counts by the monotonic clock alone, which stands still in suspend.',
    edit(
      clock,
      'return Math.max(now.monoMs - since.monoMs, now.wallMs - since.wallMs, uptime, 0);',
      'return Math.max(now.monoMs - since.monoMs, 0);',
    ),
  ),
  mutant(
    'heartbeat-too-slow',
    'KEPT',
    'The client sends its next renewal after one and a half D: a healthy connection loses its seat.',
    edit(
      'client-sdk/dist/heartbeat.js',
      'this.#due = { since: readClock(this.#host.clock), afterMs: shortestMs * fraction * jitter };',
      'this.#due = { since: readClock(this.#host.clock), afterMs: shortestMs * (fraction === HEARTBEAT_FRACTION ? 1.5 : fraction) * jitter };',
    ),
  ),
  mutant(
    'renewed-at-the-last-moment',
    'KEPT',
    'The client renews at 0.97 D instead of D/3: one that is late by a breath loses its seat.',
    edit(
      'client-sdk/dist/heartbeat.js',
      'this.#due = { since: readClock(this.#host.clock), afterMs: shortestMs * fraction * jitter };',
      'this.#due = { since: readClock(this.#host.clock), afterMs: shortestMs * (fraction === HEARTBEAT_FRACTION ? 0.97 : fraction) };',
    ),
  ),
  mutant(
    'late-seat-without-stop-time',
    'I2',
    'A seat whose renewal came too late is given back at once, while its plugin is still stopping.',
    edit(
      'client-sdk/dist/seat.js',
      'this.#lateTimer = this.#host.setTimer(() => void this.release(), STOP_MS);',
      'this.#lateTimer = this.#host.setTimer(() => void this.release(), 0 * STOP_MS);',
    ),
  ),
  mutant(
    'stopped-for-the-plugin',
    'I2',
    'A seat that is taken back is given back with a signed stop before its plugin has stopped.',
    edit(
      'client-sdk/dist/seat.js',
      'this.#lost = notice;\n        this.#watch();',
      'this.#lost = notice;\n        this.#watch();\n        if (revoked)\n            void this.release();',
    ),
  ),
  mutant(
    'worst-right-ignored',
    'I2',
    'A bundle is held as long as the first of its seats is.',
    edit(
      clock,
      "if (elapsed >= right.durationMs)\n            return 'lost';",
      "if (elapsed >= right.durationMs && right === rights[0])\n            return 'lost';",
    ),
  ),
];

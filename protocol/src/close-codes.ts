/** WebSocket close codes of `berth.v1` (PROTOCOL 3.4), and whether a client should reconnect by itself. */
export const closeCodes = {
  NORMAL: { number: 1000, reconnect: false, text: 'The session ended.' },
  GOING_AWAY: { number: 1001, reconnect: true, text: 'The server is shutting down.' },
  TOO_LARGE: { number: 1009, reconnect: false, text: 'A frame was larger than allowed.' },
  BINARY: { number: 4400, reconnect: false, text: 'Binary frames are not part of the protocol.' },
  UNAUTHENTICATED: { number: 4401, reconnect: true, text: 'No session was opened in time.' },
  REFUSED: { number: 4403, reconnect: false, text: 'The session was refused.' },
  SUPERSEDED: {
    number: 4409,
    reconnect: false,
    text: 'The same device opened a session from another address.',
  },
  DEVICE_REMOVED: { number: 4410, reconnect: false, text: 'The device or its user was removed.' },
  SLOW_READER: { number: 4413, reconnect: true, text: 'The client does not read what it asked for.' },
  FLOOD: { number: 4429, reconnect: true, text: 'Too many malformed or excessive requests.' },
} as const;

export type CloseReason = keyof typeof closeCodes;

import type { SeatState } from '@berth/client';

// What goes between the two processes: plain data, as Electron's ipcMain and ipcRenderer carry it. The window never sees a key or a token.

/** What the window shows. Sent when anything changes. */
export interface SeatView {
  readonly state: SeatState | 'none';
  readonly expiresAtMs: number | null;
  /** For the person at the window: why there is no seat, or why it is about to go. */
  readonly message: string | null;
}

/** What the window may ask for. */
export type Wish = 'checkout' | 'release' | 'quit';

// The main process of an Electron-like host: `node main.js PRODUCT VENDOR_KEY`. It alone has the SDK, the keys and the seat; windows are other
// processes and are told what to show. With Electron, `fork` is a BrowserWindow, `send` is webContents.send and `on` is ipcMain.on.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BerthError, connect, type Seat } from '@berth/client';
import type { SeatView, Wish } from './messages.js';

const [product = 'render', vendorKey = ''] = process.argv.slice(2);
const client = await connect({ product, vendorKeys: [vendorKey], client: { name: 'electron-like' } });
const window = fork(fileURLToPath(new URL('./window.js', import.meta.url)));
let seat: Seat | null = null;

const wishes: Readonly<Record<Wish, () => Promise<unknown>>> = {
  checkout,
  release: async () => {
    await seat?.release();
    show(null);
  },
  quit: async () => window.disconnect(),
};

window.on('message', (wish: Wish) => {
  wishes[wish]().catch((error) =>
    show(error instanceof BerthError ? `${error.message} ${error.hint}` : String(error)),
  );
});
// A window that crashes or is closed does not keep the seat.
window.once('exit', () => void client.close());

async function checkout(): Promise<void> {
  const taken = await client.checkout({ wait: 10_000 });
  seat = taken;
  taken.on('grace', ({ message }) => show(message));
  taken.on('recovered', () => show(null));
  taken.on('message', ({ from, text }) => show(`${from}: ${text}`));
  // The window stops what needs the seat and saves; only then it is given back.
  taken.on('lost', ({ message, hint }) => show(`${message} ${hint}`));
  show(null);
}

function show(message: string | null): void {
  const { state = 'none', expiresAtMs = null } = seat ?? {};
  const view: SeatView = { state, expiresAtMs, message };
  if (window.connected) window.send(view);
}

// The other process: what a window's script does. It imports nothing of the SDK at run time; it shows what it is told and says what it wants.
import type { SeatView, Wish } from './messages.js';

const ask = (wish: Wish): void => void process.send?.(wish);

process.on('message', ({ state, message }: SeatView) => {
  console.log(`${state}${message === null ? '' : `: ${message}`}`);
  if (state === 'lost') {
    console.log('saved the scene, closed the viewport');
    ask('release');
  }
});

// Buttons, here lines of stdin.
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const line of text.split('\n'))
    if (line === 'checkout' || line === 'release' || line === 'quit') ask(line);
});
process.once('disconnect', () => process.exit());

// What a page that embeds the SDK is made of: bundled by vite and run in a real browser (browser.test.ts).
import * as berth from '@berth/client/browser';

Object.assign(globalThis, { berth });

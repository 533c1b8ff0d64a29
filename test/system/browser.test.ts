import type * as Berth from '@berth/client/browser';
import type { Client, Seat } from '@berth/client/browser';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser, bundle, missingBrowser, PageServer } from './browser.js';
import { Site } from './site.js';
import { until } from './waiting.js';

// The SDK in a real browser against a real berthd, whose authority an administrator has imported into the browser (issue 3, part 12).

/** What the page has: the SDK, and what an earlier step of the story left. */
declare const berth: typeof Berth;
declare const window: { client: Client; seat: Seat };

const missing = missingBrowser();
/** A page in the background of a machine that is busy with a whole test run was not given a turn for 6 s. */
const leaseSeconds = 18;
let site: Site;
let pages: PageServer;
let strangers: PageServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  if (missing !== null) return;
  const script = await bundle();
  [pages, strangers] = await Promise.all([PageServer.open(script), PageServer.open(script)]);
  site = await Site.open({ leaseSeconds, flags: ['--web-origins', pages.origin] });
  await site.grant({ seats: 1, share: 'process', borrow: { max: '3h', seats: 1 } });
  browser = await Browser.open(await authority());
  page = await browser.tab(pages.origin);
  console.log(
    `Chromium ${browser.version}; the SDK bundled is ${Math.round(script.length / 1024)} KiB, minified`,
  );
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([pages?.close(), strangers?.close(), site?.close()]);
});

/** The site's authority, as IT gets it to import it somewhere. */
async function authority(): Promise<string> {
  const { body } = await site.http(`/ca?nonce=${'A'.repeat(22)}`);
  return site.write('ca.pem', JSON.parse(body).ca);
}

/** Away from a machine for development this must run: there, it is said why it does not. */
const story = (name: string, work: () => Promise<void>) =>
  it(name, async (context) => {
    if (missing !== null && process.env.CI === undefined) return context.skip(missing);
    expect(missing).toBeNull();
    return work();
  });

const join = (on: Page, link: string) =>
  on.evaluate(async (text) => {
    const { user } = await berth.joinServer({ link: text });
    return user.email;
  }, link);

/** Connects and checks out; what is left on the page is the seat. @returns its state, or the code of the refusal */
const checkout = (on: Page) =>
  on.evaluate(async (vendorKey) => {
    try {
      window.client = await berth.connect({ product: 'render', vendorKeys: [vendorKey] });
      window.seat = await window.client.checkout();
      return window.seat.state;
    } catch (error) {
      return error instanceof berth.BerthError ? error.code : String(error);
    }
  }, site.vendorKey);

describe('a page of an allowed origin', () => {
  story('joins by a link and holds a seat that the server counts', async () => {
    expect(await join(page, await site.invite('anna@studio.example'))).toBe('anna@studio.example');
    expect(await checkout(page)).toBe('held');
    expect(await site.pool()).toMatchObject({ inUse: 1, free: 0 });
  });

  story('renews it by heartbeat, verified', async () => {
    const expires = () => page.evaluate(() => window.seat.expiresAtMs);
    const first = await expires();
    await until('two renewals', async () => (await expires()) > first + leaseSeconds * 600);
    expect(await page.evaluate(() => window.seat.state)).toBe('held');
  });

  story('shares nothing with another tab, which is told who holds it', async () => {
    const tab = await browser.tab(pages.origin);
    expect(await checkout(tab)).toBe('NO_SEAT');
    await tab.close();
    expect(await page.evaluate(() => window.seat.state)).toBe('held');
  });

  story('is reloaded and has its seat again at once: no ghost of its own locks it out', async () => {
    await page.reload();
    await page.waitForFunction('globalThis.berth !== undefined');
    expect(await checkout(page)).toBe('held');
    expect(await site.pool()).toMatchObject({ inUse: 1, over: 0 });
  });

  story('reconnects when the server restarts, with the same seat', async () => {
    const before = await page.evaluate(() => window.seat.leaseIds);
    await site.kill();
    await site.serve(['--web-origins', pages.origin]);
    await until('the session', () => page.evaluate(() => window.client.online));
    const after = await page.evaluate(() => ({
      state: window.seat.state,
      ids: window.seat.leaseIds,
    }));
    expect(after).toEqual({ state: 'held', ids: before });
  });

  story('borrows, and after a reload uses the borrow without a server', async () => {
    await page.evaluate(async () => void (await window.client.borrow({ seconds: 3600 })));
    await site.kill();
    await page.reload();
    await page.waitForFunction('globalThis.berth !== undefined');
    expect(await checkout(page)).toBe('held');
    expect(await page.evaluate(() => window.seat.kind)).toBe('borrow');
    await site.serve(['--web-origins', pages.origin]);
    await page.evaluate(() => window.seat.release());
    await page.evaluate(async () => void (await window.client.returnBorrow()));
    await page.evaluate(() => window.client.close());
    expect(await site.pool()).toMatchObject({ inUse: 0, borrowed: 0 });
  });
});

describe('who is not let in', () => {
  story('a page of another origin, with a sentence that says what it can be', async () => {
    const tab = await browser.tab(strangers.origin);
    const refusal = await refused(tab, await site.invite('bo@studio.example'));
    expect(refusal).toMatchObject({ code: 'UNREACHABLE' });
    expect(refusal.message).toContain(strangers.origin);
    expect(refusal.hint).toContain('web.origins');
    await until('the log', () => site.server?.stdout.includes('ORIGIN_REFUSED'));
    await tab.close();
  });

  story('a server whose authority nobody imported', async () => {
    const careful = await Browser.open(null);
    const tab = await careful.tab(pages.origin);
    expect(await refused(tab, await site.invite('cy@studio.example'))).toMatchObject({ code: 'UNREACHABLE' });
    await careful.close();
  });
});

const refused = (on: Page, link: string) =>
  on.evaluate(async (text) => {
    try {
      await berth.joinServer({ link: text });
      return { code: 'none', message: '', hint: '' };
    } catch (error) {
      const { code, message, hint } = error as Berth.BerthError;
      return { code, message, hint };
    }
  }, link);

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { root } from './paths.js';

const run = promisify(execFile);
const CHROMIUM = '/usr/bin/chromium';
const CERTUTIL = '/usr/bin/certutil';

/** Why there is no browser here, or `null`. */
export function missingBrowser(): string | null {
  const missing = [CHROMIUM, CERTUTIL].filter((path) => !existsSync(path));
  return missing.length === 0
    ? null
    : `${missing.join(' and ')} missing: apt-get install chromium libnss3-tools`;
}

/** The SDK as a page gets it: one script, made by a bundler that knows nothing of Node. */
export async function bundle(): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      write: false,
      minify: true,
      lib: { entry: join(root, 'test/system/browser-page.ts'), formats: ['es'], fileName: 'page' },
    },
  });
  const [output] = Array.isArray(made) ? made : [made];
  if (output === undefined || !('output' in output)) throw new Error('vite made nothing');
  return output.output[0].code;
}

/** Serves an empty page with the script, at an origin of its own: localhost, which browsers take for a secure context. */
export class PageServer {
  readonly #server: Server;
  readonly origin: string;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.origin = `http://localhost:${port}`;
  }

  static async open(script: string): Promise<PageServer> {
    const html =
      '<!doctype html><meta charset="utf-8"><title>A plugin</title><script type="module" src="/page.js"></script>';
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      // No eval, as careful sites have it: the SDK must not need it.
      response.setHeader('content-security-policy', "default-src 'none'; script-src 'self'; connect-src *");
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return new PageServer(server, typeof address === 'object' && address !== null ? address.port : 0);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A browser with a profile of its own, which trusts the authorities it was given and otherwise what Debian's does. */
export class Browser {
  readonly #folder: string;
  readonly #context: BrowserContext;

  private constructor(folder: string, context: BrowserContext) {
    this.#folder = folder;
    this.#context = context;
  }

  /** @param caFile PEM, imported as an administrator would: into the NSS database of the user */
  static async open(caFile: string | null): Promise<Browser> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-browser-'));
    const database = join(folder, '.pki/nssdb');
    await mkdir(database, { recursive: true });
    const certutil = (...words: string[]) => run(CERTUTIL, ['-d', `sql:${database}`, ...words]);
    await certutil('-N', '--empty-password');
    if (caFile !== null) await certutil('-A', '-n', 'berth', '-t', 'C,,', '-i', caFile);
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: CHROMIUM,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
      env: { ...process.env, HOME: folder },
    });
    return new Browser(folder, context);
  }

  get version(): string {
    return this.#context.browser()?.version() ?? 'unknown';
  }

  /** A tab at that origin, with the SDK loaded. */
  async tab(origin: string): Promise<Page> {
    const page = await this.#context.newPage();
    await page.goto(origin);
    await page.waitForFunction('globalThis.berth !== undefined');
    return page;
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

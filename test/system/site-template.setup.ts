import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Site } from './site.js';
import { type Facts, parts, TEMPLATE } from './site-template.js';

/**
 * For vitest, before the first system test: a site that was founded, and joined by its owner, with the real programs. Made once for a run
 * and copied for each test file: two RSA keys and five starts are two seconds of CPU, some fifty times.
 */
export default async function prepare(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-template-'));
  const site = await Site.open();
  try {
    await site.stop();
    for (const name of parts) await cp(join(site.folder, name), join(folder, name), { recursive: true });
    const { address, vendorKey, serverKey, ownerLink } = site;
    const facts: Facts = { address, vendorKey, serverKey, ownerLink };
    await writeFile(join(folder, 'facts.json'), JSON.stringify(facts));
  } finally {
    await site.close();
  }
  process.env[TEMPLATE] = folder;
  return () => rm(folder, { recursive: true, force: true });
}

import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { completeDataFolder, openDataFolder } from '@berth/server/data-folder';

/** Names the folder of the template to the processes of a run. */
export const TEMPLATE = 'BERTH_TEST_SITE';

/** What a site must know of the one that it is a copy of. */
export interface Facts {
  readonly address: string;
  readonly vendorKey: string;
  readonly serverKey: string;
  readonly ownerLink: string;
}

/** What a copy consists of, below the folder of a site. */
export const parts = ['data', 'vendor', 'homes', 'logs'] as const;

interface Empty {
  readonly folder: string;
  readonly data: string;
  readonly address: string;
  readonly owner: { readonly home: string };
}

/** Into the folder of a site that is empty, for the address of that one. Its server has the keys of every other copy. */
export async function copyTemplate(template: string, site: Empty): Promise<Facts> {
  for (const name of parts) await cp(join(template, name), join(site.folder, name), { recursive: true });
  const facts: Facts = JSON.parse(await readFile(join(template, 'facts.json'), 'utf8'));
  const { identity } = await openDataFolder(site.data);
  await completeDataFolder(site.data, identity, { listen: site.address });
  const contexts = join(site.owner.home, 'config', 'contexts');
  for (const name of await readdir(contexts)) {
    const file = join(contexts, name);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(facts.address, site.address));
  }
  return {
    ...facts,
    address: site.address,
    ownerLink: facts.ownerLink.replace(facts.address, site.address),
  };
}

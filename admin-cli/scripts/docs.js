// `npm run docs:cli`: writes docs/cli.md from the command table. test/tidy/cli-doc compares it with the table.
import { writeFileSync } from 'node:fs';
import { cliDocument } from '../dist/cli-doc.js';
import { commands } from '../dist/commands/all.js';

writeFileSync(new URL('../../docs/cli.md', import.meta.url), cliDocument(commands));

import { parseArgs } from 'node:util';
import { askedFor, numberOf, SEEDS, words } from '../asked.js';
import { type EdCase, ed25519Cases } from './ed25519-cases.js';
import { libraries, products, pythonVerdicts } from './ed25519-verifiers.js';

// Every implementation over the same edge cases. Exits with 1 when one that ships says other than PROTOCOL 4.1.

const help = `npm run fuzz:ed25519 -- [--cases N] [--seed S] [--json]

Edge cases of Ed25519 over every implementation that ships, and over the libraries alone.

  --cases N    how many (500)
  --seed S     the same cases again (random, and printed)
  --json       nothing but the last line
  --help

The last line is JSON. Exit code 1 when one that ships says other than PROTOCOL 4.1, 2 when the arguments are wrong.`;

const values = askedFor(help, () => {
  const { values: given } = parseArgs({
    args: words(),
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      cases: { type: 'string', default: '500' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const cases = numberOf('cases', given.cases, { least: 1, most: 1_000_000 });
  return { ...given, cases, seed: numberOf('seed', given.seed, SEEDS) };
});

const cases = await ed25519Cases(values.cases, values.seed);
const python = pythonVerdicts(cases);
const verdicts = new Map<string, readonly boolean[]>(
  Object.entries({ ...products, ...libraries }).map(([name, verify]) => [
    name,
    cases.map(({ publicKey, message, signature }) => verify(publicKey, message, signature)),
  ]),
);
verdicts.set('examples/python/berth.py', python);

let disagreements = 0;
for (const [name, said] of verdicts) {
  const wrong = cases.filter((row, i) => said[i] !== row.valid);
  const ships = !(name in libraries);
  if (ships) disagreements += wrong.length;
  if (!values.json) tell(name, ships, wrong, said);
}
const valid = cases.filter((row) => row.valid).length;
const { node, openssl } = process.versions;
console.log(JSON.stringify({ seed: values.seed, node, openssl, cases: cases.length, valid, disagreements }));
process.exitCode = disagreements > 0 ? 1 : 0;

function tell(name: string, ships: boolean, wrong: readonly EdCase[], said: readonly boolean[]): void {
  const accepted = said.filter((yes) => yes).length;
  const more = wrong.filter((row) => !row.valid).length;
  console.log(
    `${name.padEnd(28)} accepts ${accepted}; ${more} that it must refuse, refuses ${wrong.length - more} that it must accept`,
  );
  const kinds = [...new Set(wrong.map((row) => row.name))].sort();
  for (const kind of kinds.slice(0, ships ? 20 : 3)) console.log(`    ${kind}`);
}

import { parseArgs } from 'node:util';
import { type EdCase, ed25519Cases } from './ed25519-cases.js';
import { libraries, products, pythonVerdicts } from './ed25519-verifiers.js';

// Every implementation over the same edge cases. Exits with 1 when one that ships says other than PROTOCOL 4.1.

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    cases: { type: 'string', default: '500' },
    json: { type: 'boolean', default: false },
  },
});

const cases = await ed25519Cases(Number(values.cases), Number(values.seed));
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
console.log(
  JSON.stringify({ seed: Number(values.seed), node, openssl, cases: cases.length, valid, disagreements }),
);
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

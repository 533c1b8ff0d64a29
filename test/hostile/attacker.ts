// One attack in a process of its own: `node attacker.js '{…}'`. Its last line of stdout is what came of it.
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { keysFromPem } from '../system/device-keys.js';
import { attacks } from './attacks.js';
import { refusedForShape } from './peer.js';
import type { Seen } from './requests.js';

const ATTACKER_NICENESS = 10;

export interface AttackerFacts {
  readonly attack: string;
  readonly seconds: number;
  readonly host: string;
  readonly port: number;
  readonly serverKey: string;
  /** A file with a list of [key, PEM]. */
  readonly devicesFile: string;
  readonly foreign: readonly Seen[];
}

// Attackers have machines of their own: here they get the processor time that the attacked leave (threads made later inherit it).
setPriority(ATTACKER_NICENESS);

const facts = JSON.parse(process.argv[2] ?? '{}') as AttackerFacts;
const attack = attacks.find(({ name }) => name === facts.attack);
if (attack === undefined) throw new Error(`No attack is called ${facts.attack}`);
const over = new AbortController();
setTimeout(() => over.abort(), facts.seconds * 1000);
const rows = JSON.parse(readFileSync(facts.devicesFile, 'utf8')) as [string, string][];
const { host, port, serverKey, foreign, seconds } = facts;
const devices = rows.map(([text, pem]) => keysFromPem(text, pem));
const outcome = await attack.run({ host, port, serverKey, devices, foreign, seconds, over: over.signal });
const misshapen = [...refusedForShape].map((what) => `refused for its shape: ${what}`);
const all = { ...outcome, problems: [...outcome.problems, ...misshapen] };
process.stdout.write(`${JSON.stringify({ event: 'outcome', ...all })}\n`, () => process.exit(0));

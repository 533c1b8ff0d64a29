// The least that a server of this kind does on this machine, in a process of its own: a frame over TLS and WebSocket is parsed, answered with
// as many bytes as Berth's answers have, and, as the method says, signed with Ed25519, or appended to a file and synced first, all that wait
// together. No session, no limits, no state: what Berth costs is told as a part of this.
import { generateKeyPairSync, hash, sign } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';

/** What it is started with. */
export interface LimitFacts {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

/** As long as the signed part of a lease, the entitlement beside it, and a checkout's changes in the journal. */
const SIGNED_BYTES = 560;
const BESIDE = 'e'.repeat(800);
const RECORD = Buffer.alloc(1800, 'r');

interface Asked {
  readonly socket: WebSocket;
  readonly id: number;
}

interface Request {
  readonly id: number;
  readonly method: string;
  /** `bytes`: of an answer that is to be so long. */
  readonly params: { readonly bytes?: number };
}

const facts = JSON.parse(process.argv[2] ?? '{}') as LimitFacts;
const { privateKey } = generateKeyPairSync('ed25519');
const file = await open(join(facts.folder, 'limit.log'), 'w');
const server = createServer({ cert: await readFile(facts.certificate), key: await readFile(facts.key) });
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
let waiting: Asked[] = [];
let isCommitting = false;
let at = 0;

sockets.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, method, params } = JSON.parse(String(data)) as Request;
    if (method === 'echo') answer({ socket, id }, { code: echoed(params.bytes) });
    else if (method === 'root') underRoot({ socket, id });
    else if (method === 'sign') answer({ socket, id }, { leases: [signed(id)] });
    else commit({ socket, id });
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ event: 'ready', port })}\n`);
});

function echoed(bytes: number | undefined): string {
  return bytes === undefined ? BESIDE : 'e'.repeat(bytes);
}

function commit(asked: Asked): void {
  waiting.push(asked);
  if (isCommitting) return;
  isCommitting = true;
  setImmediate(() => void commitAll());
}

async function commitAll(): Promise<void> {
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    const bytes = Buffer.concat(batch.map(() => RECORD));
    await file.write(bytes, 0, bytes.length, at);
    at += bytes.length;
    await file.datasync();
    for (const asked of batch) answer(asked, { leases: [signed(asked.id)], entitlements: [BESIDE] });
  }
  isCommitting = false;
}

function signed(id: number): string {
  const claims = String(id).padStart(SIGNED_BYTES, 'c');
  return `${claims}.${sign(null, Buffer.from(claims), privateKey).toString('base64url')}`;
}

/** What was asked in this turn of the loop, to be signed together. */
let together: Asked[] = [];

/** One signature over the Merkle root (RFC 9162, 2.1) of all that came in one turn; each answer has its claims, the root's and the path to it. */
function underRoot(asked: Asked): void {
  together.push(asked);
  if (together.length > 1) return;
  setImmediate(() => {
    const all = together;
    together = [];
    const claims = all.map(({ id }) => String(id).padStart(SIGNED_BYTES, 'c'));
    const { root, paths } = tree(claims.map((text) => hash('sha256', `\0${text}`, 'base64url')));
    const signature = sign(null, Buffer.from(root), privateKey).toString('base64url');
    for (const [at, one] of all.entries())
      answer(one, { leases: [`${claims[at]}.${root}.${paths[at]!.join('')}.${signature}`] });
  });
}

function tree(leaves: readonly string[]): { root: string; paths: string[][] } {
  const paths: string[][] = leaves.map(() => []);
  // Of each node the leaves below it: what stands beside it goes into their paths.
  let level = leaves.map((node, at) => ({ node, below: [at] }));
  while (level.length > 1) {
    const next: typeof level = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at]!, level[at + 1]];
      if (right === undefined) {
        next.push(left);
        continue;
      }
      for (const leaf of left.below) paths[leaf]!.push(right.node);
      for (const leaf of right.below) paths[leaf]!.push(left.node);
      const node = hash('sha256', `\u0001${left.node}${right.node}`, 'base64url');
      next.push({ node, below: [...left.below, ...right.below] });
    }
    level = next;
  }
  return { root: level[0]!.node, paths };
}

function answer({ socket, id }: Asked, result: object): void {
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

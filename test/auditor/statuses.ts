import { type Evidence, type Finding, ownedWithin } from './evidence.js';
import { type EntryOf, eventsOf, type PoolSeen } from './history.js';
import { type Right, rightsOf } from './rights.js';

const numbers = [
  'owned',
  'allocated',
  'shared',
  'inUse',
  'borrowed',
  'held',
  'free',
  'over',
] as const satisfies readonly (keyof PoolSeen)[];

/** Every status: both equations of PRODUCT.md, what is owned, and no fewer seats taken than the clients surely have. */
export function wrongStatuses(evidence: Evidence): Finding[] {
  const rights = rightsOf(evidence, 'client');
  return eventsOf(evidence.entries, 'status').flatMap((status) =>
    status.pools.flatMap((pool) => [
      ...equations(pool, status),
      ...ownedWrong(pool, status, evidence),
      ...tooFew(pool, status, rights),
    ]),
  );
}

function equations(pool: PoolSeen, { process, t }: EntryOf<'status'>): Finding[] {
  const { owned, allocated, shared, inUse, borrowed, held, free, over } = pool;
  const where = `status of ${pool.product} that ${process} got at ${Math.round(t)} ms`;
  const findings: Finding[] = [];
  const accuse = (text: string) => findings.push({ rule: 'EQUATION', text: `${where}: ${text}` });
  for (const name of numbers)
    if (!Number.isSafeInteger(pool[name]) || pool[name] < 0) accuse(`${name} is ${pool[name]}`);
  if (owned !== allocated + shared) accuse(`owned ${owned} = ${allocated} allocated + ${shared} shared`);
  if (inUse + borrowed + held + free !== owned + over)
    accuse(
      `${inUse} in use + ${borrowed} borrowed + ${held} held + ${free} free = ${owned} owned + ${over} over`,
    );
  if (free > 0 && over > 0) accuse(`${free} free and ${over} over`);
  return findings;
}

function ownedWrong(
  pool: PoolSeen,
  { sentAt, t, process }: EntryOf<'status'>,
  evidence: Evidence,
): Finding[] {
  const { least, most } = ownedWithin(evidence.grants, pool.product, sentAt, t);
  if (pool.owned >= least && pool.owned <= most) return [];
  const text = `${process} was told of ${pool.owned} seats of ${pool.product}, the entitlements say ${most}`;
  return [{ rule: 'STATUS', text }];
}

function tooFew(
  pool: PoolSeen,
  { sentAt, t, process }: EntryOf<'status'>,
  rights: readonly Right[],
): Finding[] {
  const open = new Map<string, number>();
  const borrowers: string[] = [];
  for (const right of rights) {
    const throughout = right.opensAt <= sentAt && t < right.closesAt;
    if (right.product !== pool.product || !throughout) continue;
    open.set(right.seat, Math.max(right.n, open.get(right.seat) ?? 0));
    if (right.kind === 'borrow') borrowers.push(right.process);
  }
  const seats = [...open.values()].reduce((sum, n) => sum + n, 0);
  const counted = pool.inUse + pool.borrowed + pool.held;
  if (counted >= seats) return [];
  const text = `${process} was told of ${counted} seats of ${pool.product} taken while clients had ${seats}`;
  return [{ rule: 'STATUS', text, borrowers }];
}

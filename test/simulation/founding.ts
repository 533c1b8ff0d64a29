import type { Plan } from './plan.js';
import type { AdminSeat, Computer, Site } from './site.js';

/** The people, computers and admins a site begins with. */
export interface Founded {
  readonly admins: readonly AdminSeat[];
  /** Computers with a plugin: people's, and machines. */
  readonly plugins: Computer[];
  readonly people: readonly string[];
  readonly island: Computer;
}

const MACHINES = 2;
/** Credits of the entitlement that is charged first: on some sites they are soon spent, and a request takes the rest of them and some of the next. */
const FIRST_CREDITS = [300, 60, 25];
/** A user's credits are limited, and a pool has a rule, on so many sites. */
const LIMITED_CHANCE = 0.4;
const RULE_CHANCE = 0.25;
const CAP_CHANCE = 0.35;

/** Founds, imports, invites and joins; nothing goes wrong yet. */
export async function settle(site: Site, { clients }: Plan): Promise<Founded> {
  site.network.faulty = false;
  const owner = await site.found();
  await importAll(site, owner);
  await arrangePools(site, owner);
  const second = await invite(site, owner, 'second@studio.example', 'second', { role: 'admin' });
  const admins = [owner, await site.joinAsAdmin(second.computer, second.link)];
  const plugins: Computer[] = [];
  for (let at = 0; at < clients; at++) {
    // Every fifth computer is the second one of somebody.
    const email = `user${at % 5 === 4 ? at - 1 : at}@studio.example`;
    const { computer, link } = await invite(
      ...([site, owner, email, `pc${at}`, at % 5 === 4 ? { device: true } : {}] as const),
    );
    await site.join(computer, link);
    plugins.push(computer);
    await allowCredits(site, owner, email);
  }
  const people = plugins.map(({ email }) => email);
  const island = site.addComputer('island', people[0] ?? '');
  plugins.push(...(await addMachines(site, owner)));
  site.network.faulty = true;
  return { admins, plugins, people, island };
}

async function importAll(site: Site, { admin }: AdminSeat): Promise<void> {
  const day = 86_400;
  const dice = site.dice('sold');
  const pools: Parameters<Site['vendor']['entitlement']>[0][] = [
    {
      ...{ jti: 'ent-render', product: 'render', seats: site.seats(3), share: 'process' },
      borrow: { maxSeconds: day, seats: site.seats(2) },
      credits: dice.pick(FIRST_CREDITS),
    },
    { jti: 'ent-render-2', product: 'render', seats: site.seats(2), share: 'process', credits: 40 },
    {
      ...{ jti: 'ent-comp', product: 'comp', seats: site.seats(3), share: 'device' },
      borrow: { maxSeconds: day, seats: site.seats(1) },
    },
    {
      ...{ jti: 'ent-sim', product: 'sim', seats: site.seats(2), share: 'user', earlyReturn: 'at-expiry' },
      borrow: { maxSeconds: day, seats: site.seats(2) },
    },
  ];
  for (const claims of pools) {
    const entitlement = site.vendor.entitlement(claims);
    const key = `import-${claims.jti}-0000`;
    await site.settled(admin.call('entitlement.import', { key, entitlement }));
  }
}

/** Some pools have rules before anybody uses them. */
async function arrangePools(site: Site, { admin }: AdminSeat): Promise<void> {
  const dice = site.dice('pools');
  for (const product of ['render', 'comp', 'sim']) {
    const settings = {
      ...(dice.chance(CAP_CHANCE) ? { borrowSeatsMax: site.seats(1) } : {}),
      ...(dice.chance(RULE_CHANCE) ? { lingerSeconds: dice.pick([60, 300]) } : {}),
      ...(dice.chance(RULE_CHANCE) ? { idleSeconds: 120 } : {}),
    };
    const key = `arrange-${product}-0000`;
    if (Object.keys(settings).length > 0)
      await site.settled(admin.call('pool.set', { key, product, ...settings }));
  }
}

async function invite(
  site: Site,
  { admin }: AdminSeat,
  email: string,
  name: string,
  more: { role?: string; device?: boolean },
): Promise<{ computer: Computer; link: string }> {
  const { link } = await site.settled(
    admin.call('user.invite', { key: `invite-${name}-000000`, email, ...more }),
  );
  return { computer: site.addComputer(name, email), link };
}

/** As many as there are, or not many, until an admin says otherwise. */
async function allowCredits(site: Site, { admin }: AdminSeat, email: string): Promise<void> {
  const key = `credits-${email.split('@')[0]}-000000`;
  const dice = site.dice(`credits ${email}`);
  const per = dice.pick(['day', 'month', 'total'] as const);
  const grant = dice.chance(LIMITED_CHANCE)
    ? ({ access: 'limited', limit: dice.between(10, 40), per } as const)
    : ({ access: 'unlimited' } as const);
  await site.settled(admin.call('credit.limit', { key, email, ...grant }));
}

async function addMachines(site: Site, { admin }: AdminSeat): Promise<Computer[]> {
  const { link } = await site.settled(
    admin.call('machine.token.create', { key: 'machines-of-the-start', name: 'farm', uses: MACHINES }),
  );
  const machines: Computer[] = [];
  for (let at = 0; at < MACHINES; at++) {
    const computer = site.addComputer(`farm${at}`, '');
    await site.join(computer, link);
    machines.push(computer);
  }
  return machines;
}

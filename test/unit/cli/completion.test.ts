import { shellWords } from '@berth/cli/completion/complete';
import { BerthError } from '@berth/client';
import { describe, expect, it } from 'vitest';
import { berth, fakeAdmin, type HostOptions, joined, oneIdentity } from './fake-host.js';

const breaks = ' \t\n"\'@><=;|&(:';
const users = ['anna@studio.example', 'anders@studio.example', '$(reboot)@studio.example'];
const admin = fakeAdmin({
  'pool.status': () => ({ pools: [{ product: 'render' }, { product: 'sim' }], next: null }),
  'bulk.list': () => ({ items: [{ id: 'j-2' }, { id: 'j-1' }], next: null }),
  'mail.list': () => ({ items: [{ id: 'm-7' }], next: null }),
  'entitlement.list': () => ({
    items: [
      { id: 'ent-1', display: { number: 'S-1042' } },
      { id: 'ent-2', display: {} },
    ],
    next: null,
  }),
  'user.list': ({ search }) => ({
    items: users.filter((email) => email.includes(String(search ?? ''))).map((email) => ({ email })),
    next: null,
  }),
});

async function offered(line: string, options: HostOptions = { sdk: admin.sdk }): Promise<string[]> {
  const ran = await berth(['__complete', 'bash', breaks, line], options);
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  return ran.stdout.split('\n').slice(0, -1);
}

describe('completion in bash', () => {
  it.each([
    ['berth us', ['user']],
    ['berth machine t', ['token']],
    ['berth machine token ', ['create', 'list', 'revoke']],
    ['berth help licen', ['license']],
    ['berth license revoke --pe', ['--pending']],
    ['berth lease list --product x --prod', []],
    ['berth sharing o', ['on', 'off']],
    ['berth run --on-lost w', ['warn']],
    ['berth run --on-lost=w', ['warn']],
    ['berth completion ', ['bash', 'zsh']],
    ['berth status --product ', ['render', 'sim']],
    ['berth status --product=re', ['render']],
    ['berth license assign anna@studio.example re', ['render']],
    ['berth license assign an', ['anna@studio.example', 'anders@studio.example']],
    ['berth license assign anna@st', ['studio.example']],
    ["berth license assign 'an", ['anna@studio.example', 'anders@studio.example']],
    ['berth status --context st', ['studio']],
    ['berth context use ', ['studio']],
    ['berth entitlement import ', [':files']],
    ['berth vendor issue --out ', [':files']],
    ['berth bulk apply invite --csv ', [':files']],
    ['berth user set anna@studio.example --role v', ['viewer']],
    ['berth license move a@b.org render --to an', ['anna@studio.example', 'anders@studio.example']],
    ['berth audit list --kind allo', ['allocation.set']],
    ['berth bulk report ', ['j-2', 'j-1']],
    ['berth mail show m', ['m-7']],
    ['berth subscription show S', ['S-1042']],
    ['berth run --product render -- ', [':files']],
    ['berth frobnicate ', []],
  ])('%s', async (line, words) => {
    expect(await offered(line)).toEqual(words);
  });

  it('offers no word that a shell would run', async () => {
    expect(await offered('berth license assign ')).toEqual(users.slice(0, 2));
  });

  it('says nothing when nobody has joined, nobody answers, or it takes too long', async () => {
    const fails = async (): Promise<never> => {
      throw new BerthError('UNREACHABLE');
    };
    expect(await offered('berth status --product ', {})).toEqual([]);
    const gone = { ...admin.sdk, openAdmin: fails };
    expect(await offered('berth status --product ', { sdk: gone })).toEqual([]);
    const silent = { identities: oneIdentity(), openAdmin: () => new Promise<never>(() => undefined) };
    const now = { start: fails as never, onSignals: fails as never, after: atOnce };
    expect(await offered('berth status --product ', { sdk: silent, processes: now })).toEqual([]);
    const plain = { identities: oneIdentity({ ...joined, scopes: ['lease'] }) };
    expect(await offered('berth license assign an', { sdk: plain })).toEqual([]);
  });
});

const atOnce = (_ms: number, call: () => void): (() => void) => {
  call();
  return () => undefined;
};

it('completion in zsh says what each word is, and escapes colons', async () => {
  const ran = await berth(['__complete', 'zsh', 'pool', '']);
  expect(ran.stdout).toMatch(/^set:Change how .*\nshow:Show how .*\n$/);
  expect((await berth(['__complete', 'zsh', 'entitlement', 'import', ''])).stdout).toBe(':files\n');
});

it('words are split as a shell does', () => {
  expect(shellWords(`berth "a b" 'c\\' d\\ e "f\\"g`)).toEqual(['berth', 'a b', 'c\\', 'd e', 'f"g']);
  expect(shellWords('berth ')).toEqual(['berth', '']);
  expect(shellWords(`berth ''`)).toEqual(['berth', '']);
});

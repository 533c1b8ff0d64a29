import { limits, type PoolSettings } from '@berth/protocol';
import { parseCount } from './parse.js';
import { seatWords, spanWords } from './words.js';

/** One setting of a pool as the command line has it. */
interface PoolOption {
  readonly option: string;
  readonly name: keyof PoolSettings;
  readonly describe: string;
  parse(text: string, option: string): number | null;
  words(value: number | null): string;
}

const seconds = (most: number) => ({
  parse: (text: string, option: string) =>
    text.trim().toLowerCase() === 'off' ? null : parseCount(text, option, 1, most, ' or off'),
  words: (value: number | null) => (value === null ? 'off' : secondsWords(value)),
});

const borrowCap = {
  parse: (text: string, option: string) =>
    text.trim().toLowerCase() === 'off'
      ? null
      : parseCount(text, option, 0, limits.seatsPerEntitlement, ' or off'),
  words: (value: number | null) => (value === null ? 'off' : seatWords(value)),
};

function secondsWords(value: number): string {
  const [plain, span] = [`${value} s`, spanWords(value * 1000)];
  return plain === span ? plain : `${plain} (${span})`;
}

/** Every setting of a pool, in the order in which it is shown. */
export const poolOptions: readonly PoolOption[] = [
  {
    option: 'idle-seconds',
    name: 'idleSeconds',
    describe: 'take a seat back whose plugin reports that it has been idle for longer; off: never',
    ...seconds(limits.idleSeconds),
  },
  {
    option: 'linger-seconds',
    name: 'lingerSeconds',
    describe: 'keep a seat so long after its release for whoever had it; off: not at all',
    ...seconds(limits.lingerSeconds),
  },
  {
    option: 'borrow-cap',
    name: 'borrowSeatsMax',
    describe: 'most seats that may be borrowed at once; off: as the entitlements say',
    ...borrowCap,
  },
  {
    option: 'borrow-cap-per-user',
    name: 'borrowSeatsPerUserMax',
    describe: 'most seats that one user may have borrowed at once; off: no such limit',
    ...borrowCap,
  },
];

/** One line a setting: its value, and the default where that is another. */
export function settingRows(settings: PoolSettings, defaults: PoolSettings): [string, string][] {
  return poolOptions.map(({ option, name, words }) => {
    const [value, standard] = [settings[name], defaults[name]];
    const note = value === standard ? '(default)' : `(default: ${words(standard)})`;
    return [option, `${words(value)} ${note}`];
  });
}

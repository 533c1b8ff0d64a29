import type { Row } from './report.js';

/** A picture of what grows with what. */
export interface Chart {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
}

interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Those that the rows are enough for: a line needs two points. */
export function chartsOf(rows: readonly Row[]): Chart[] {
  const by = (suite: string, y: (row: Row) => number, name = suite, of = (_: Row) => true): Line => ({
    name,
    points: rows
      .filter((row) => row.suite === suite && row.connections > 0 && of(row))
      .map((row) => [row.connections, y(row)] as const),
  });
  const isAppend = ({ case: title }: Row): boolean => title === 'append and sign';
  const opsPerSec = (row: Row): number => row.opsPerSec;
  const charts: Chart[] = [
    {
      ...{ file: 'connections-ops.svg', title: 'Checkouts a second', x: 'connections', y: 'checkouts/s' },
      lines: [by('checkout', opsPerSec), by('limit', opsPerSec, 'the bare loop', isAppend)],
    },
    {
      ...{ file: 'connections-cpu.svg', title: 'CPU of one checkout', x: 'connections', y: 'µs' },
      lines: [
        by('checkout', (row) => row.serverCpuUsPerOp),
        by('limit', (row) => row.serverCpuUsPerOp, 'the bare loop', isAppend),
      ],
    },
    {
      ...{ file: 'scale-cpu.svg', title: 'CPU of one checkout beside what is there', x: 'so many', y: 'µs' },
      lines: [
        { name: 'seats in use, 1 user', points: scaled(rows, ([, users]) => users === 1, 0) },
        { name: 'users, 100 seats', points: scaled(rows, ([seats]) => seats === 100, 1) },
      ],
    },
  ];
  return charts
    .map((chart) => ({ ...chart, lines: chart.lines.filter(({ points }) => points.length > 1) }))
    .filter(({ lines }) => lines.length > 0);
}

/** Of the suite `scale`, whose cases say what there is: `100 seats, 1000 users`. */
function scaled(
  rows: readonly Row[],
  isIn: (size: readonly [number, number]) => boolean,
  axis: 0 | 1,
): [number, number][] {
  return rows.flatMap((row) => {
    const match = /^(\d+) seats, (\d+) users?$/.exec(row.case);
    if (row.suite !== 'scale' || match === null) return [];
    const size = [Number(match[1]), Number(match[2])] as const;
    return isIn(size) ? [[size[axis], row.serverCpuUsPerOp] as [number, number]] : [];
  });
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 320, 64, 16, 40, 48];
const COLOURS = ['#0b63b6', '#b8500b'];

/** As text of an SVG file; x in powers of ten, y from zero. */
export function svgOf({ title, x, y, lines }: Chart): string {
  const points = lines.flatMap((line) => line.points);
  const most = Math.max(...points.map(([at]) => at));
  const decades = Math.max(1, Math.ceil(Math.log10(most) - 1e-9));
  const top = roundUp(Math.max(...points.map(([, value]) => value)));
  const toX = (value: number): number =>
    Math.round(LEFT + (Math.log10(value) / decades) * (WIDTH - LEFT - RIGHT));
  const toY = (value: number): number =>
    Math.round(HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP));
  const xTicks = Array.from({ length: decades + 1 }, (_, power) => 10 ** power);
  const yTicks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 22, `${title}, ${y}`, 'start', 15),
    ...yTicks.map(
      (tick) =>
        `<path d="M${LEFT} ${toY(tick)}H${WIDTH - RIGHT}" stroke="#ddd"/>${text(LEFT - 6, toY(tick) + 4, String(tick), 'end')}`,
    ),
    ...xTicks.map((tick) => text(toX(tick), HEIGHT - BOTTOM + 18, tick.toLocaleString('en'), 'middle')),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x, 'middle'),
    ...lines.flatMap(({ name, points: path }, at) => {
      const colour = COLOURS[at % COLOURS.length]!;
      const drawn = [...path].sort(([a], [b]) => a - b).map(([px, py]) => `${toX(px)},${toY(py)}`);
      return [
        `<polyline points="${drawn.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...drawn.map((point) => {
          const [cx, cy] = point.split(',');
          return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
        }),
        text(WIDTH - RIGHT, 20 + 15 * at, name, 'end', 12, colour),
      ];
    }),
    '</svg>\n',
  ].join('\n');
}

/** To 1, 2, 4 or 8 of a power of ten: quarters of it are easy to read. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((digit) => digit * power).find((round) => round >= value) ?? value;
}

function text(
  x: number,
  y: number,
  what: string,
  anchor: 'start' | 'middle' | 'end',
  size = 12,
  colour = '#333',
): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${colour}">${what}</text>`;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineOf } from './blank.js';
import { allFiles, besides, read, root } from './sources.js';

const pages = allFiles.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: read(path) }));
type Page = (typeof pages)[number];

/** Without `--no-install`, npx fetches the package of a stranger that happens to have the name. */
function strangers({ path, text }: Page): string[] {
  return [...text.matchAll(/\bnpx\s+((?:-\S+\s+)*)berthd?\b/g)]
    .filter((match) => !/--no-install\b/.test(match[1]!))
    .map((match) => `${path}:${lineOf(text, match.index)} ${match[0]}`);
}

test('the docs call our commands with npx --no-install', () => {
  expect(pages.flatMap(strangers), 'write npx --no-install berth').toEqual([]);
  for (const text of ['npx berth status', '`npx  berthd serve`', 'npx -y berth']) {
    expect(strangers({ path: 'x.md', text }), text).toHaveLength(1);
  }
  expect(strangers({ path: 'x.md', text: 'npx --no-install berth status' })).toEqual([]);
});

/** Links to our own files that lead nowhere, and headings that are not there. */
function brokenLinks({ path, text }: Page): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, (code) => code.replaceAll(/[^\n]/g, ' '));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const [file, heading] = match[1]!.split('#') as [string, string | undefined];
    if (/^[a-z]+:/.test(file)) return [];
    const target = file === '' ? path : besides(path, file);
    const where = `${path}:${lineOf(prose, match.index)} links to ${match[1]}`;
    if (file !== '' && !existsSync(join(root, target))) return [`${where}: no such file`];
    if (heading === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(file === '' ? text : read(target)).includes(heading)
      ? []
      : [`${where}: no such heading`];
  });
}

/** The anchors that GitHub makes of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('links between our documents lead somewhere', () => {
  expect(pages.flatMap(brokenLinks)).toEqual([]);
  const page = (text: string): Page => ({ path: 'docs/x.md', text });
  expect(brokenLinks(page('[a](missing.md)'))).toHaveLength(1);
  expect(brokenLinks(page('# There\n[a](#not-there)'))).toHaveLength(1);
  expect(
    brokenLinks(page('# Is: there!\n[a](#is-there) [b](../package.json) [c](https://example.com)')),
  ).toEqual([]);
  expect(brokenLinks(page('`[a](missing.md)`'))).toEqual([]);
});

test('README begins with what a stranger needs: what it is, and the two commands', () => {
  const [readme] = pages.filter(({ path }) => path === 'README.md');
  expect(readme?.text.startsWith('# Berth\n')).toBe(true);
  expect(readme?.text.slice(0, 1500)).toContain('npm ci && npm run demo');
  expect(readme?.text.slice(0, 1500)).toContain('npm ci && npm test');
});

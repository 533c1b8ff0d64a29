/** A table as the formatter has it, so that what writes it leaves nothing to format. */
export function markdownTable(names: readonly string[], cells: readonly (readonly string[])[]): string {
  const widths = names.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(names), rule, ...cells.map(line)].join('\n');
}

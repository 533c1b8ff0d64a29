import { drawNoHelpAhead as drawNoneInBerth } from '@berth/cli/help-ahead';
import { drawNoHelpAhead as drawNoneInBerthd } from '@berth/server/help-ahead';
import { describe, expect, it } from 'vitest';
import yargs from 'yargs';

/** Whether yargs has drawn the help of the command that it ran. */
async function hasDrawn(prepare: <P extends object>(parser: P) => P): Promise<boolean> {
  let ran = 0;
  const parser = prepare(yargs()).command('serve', 'Serve', {}, async () => {
    ran++;
  });
  await parser.parseAsync(['serve']);
  expect(ran).toBe(1);
  const inside = parser as unknown as {
    getInternalMethods(): { getUsageInstance(): { hasCachedHelpMessage(): boolean } };
  };
  return inside.getInternalMethods().getUsageInstance().hasCachedHelpMessage();
}

describe('the help of a command that runs', () => {
  it.each([
    ['berth', drawNoneInBerth],
    ['berthd', drawNoneInBerthd],
  ])('is not drawn by %s, though yargs would', async (_, prepare) => {
    expect(await hasDrawn((parser) => parser)).toBe(true);
    expect(await hasDrawn(prepare)).toBe(false);
  });

  it('is there when it is asked for', async () => {
    const help = await drawNoneInBerthd(yargs().command('serve', 'Serve a folder')).getHelp();
    expect(help).toContain('Serve a folder');
  });
});

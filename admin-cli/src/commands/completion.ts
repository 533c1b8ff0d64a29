import { defineCommand } from '../command.js';
import { completionScripts } from '../completion/scripts.js';

export const completion = defineCommand({
  usage: 'completion <shell>',
  describe: 'Print a script with which bash or zsh completes the words of berth',
  positionals: {
    shell: {
      type: 'string',
      choices: ['bash', 'zsh'] as const,
      demandOption: true,
      describe: 'for which shell',
    },
  },
  examples: [
    ['eval "$(berth completion bash)"', 'in ~/.bashrc'],
    ['eval "$(berth completion zsh)"', 'in ~/.zshrc, behind compinit'],
  ],
  more: 'Commands, options and their values are completed; products, e-mails and contexts from the current context, if its server answers within a second (BERTH_COMPLETE_MS: otherwise, in milliseconds).',
  run: async (_context, args) => {
    const script = completionScripts[args.shell];
    return { document: { shell: args.shell, script }, text: script };
  },
});

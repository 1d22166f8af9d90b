import { Argument, Command } from 'commander';
import { bashCompletion, fishCompletion, zshCompletion } from '../completion.js';
import type { CommandIo } from '../io.js';

const examples = `Examples:
  panthalia completion bash > ~/.local/share/bash-completion/completions/panthalia
  panthalia completion zsh > ~/.zfunc/_panthalia       with that folder in fpath
  panthalia completion fish > ~/.config/fish/completions/panthalia.fish
`;

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export function completionCommand(io: CommandIo): Command {
  return new Command('completion')
    .description('print a script that completes commands and flags')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .addHelpText('before', examples)
    .action((shell: keyof typeof scripts, _flags: unknown, self: Command) =>
      io.print(scripts[shell](self.parent as Command)),
    );
}

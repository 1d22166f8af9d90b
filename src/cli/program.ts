/** All commands, in the groups that help shows. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { cleanCommand } from './commands/clean.js';
import { completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { conformanceCommand } from './commands/conformance.js';
import { deployCommand } from './commands/deploy.js';
import { disputeCommand } from './commands/dispute.js';
import { doctorCommand } from './commands/doctor.js';
import { logsCommand } from './commands/logs.js';
import { masterCommand } from './commands/master.js';
import { measureCommand } from './commands/measure.js';
import { replayCommand } from './commands/replay.js';
import { reportCommand } from './commands/report.js';
import { simulateCommand } from './commands/simulate.js';
import { sotCommand } from './commands/sot.js';
import { statusCommand } from './commands/status.js';
import { taskCommand } from './commands/task.js';
import { tasksCommand } from './commands/tasks.js';
import { unstakeCommand } from './commands/unstake.js';
import { walletCommand } from './commands/wallet.js';
import { watchCommand } from './commands/watch.js';
import { whyCommand } from './commands/why.js';
import { withdrawCommand } from './commands/withdraw.js';
import { workerCommand } from './commands/worker.js';
import type { CommandIo } from './io.js';
import { UsageError } from './problem.js';

type Factory = (io: CommandIo) => Command;

const groups: [title: string, commands: Factory[]][] = [
  ['Run:', [simulateCommand, watchCommand, replayCommand, reportCommand]],
  ['Take part:', [workerCommand, disputeCommand, unstakeCommand, withdrawCommand]],
  ['Look:', [statusCommand, tasksCommand, taskCommand, whyCommand, logsCommand]],
  ['Operate:', [deployCommand, sotCommand, masterCommand]],
  [
    'This machine:',
    [doctorCommand, conformanceCommand, walletCommand, configCommand, cleanCommand, completionCommand],
  ],
];

const examples = `Examples:
  panthalia simulate                                train a model here: chain, workers, disputes, report
  panthalia simulate --cheat worker_2:zero-delta    one worker cheats and is caught
  panthalia why worker_2                            what it lost and earned, and by which rule
  panthalia doctor                                  when something is odd
`;

export function buildProgram(io: CommandIo): Command {
  const program = new Command('panthalia')
    .usage('<command> [options]')
    .description('A marketplace where strangers train a model together and nobody has to be trusted.')
    .version(packageVersion())
    .showSuggestionAfterError()
    .addHelpText('before', examples);
  for (const [title, commands] of groups) {
    program.commandsGroup(title);
    for (const command of commands) program.addCommand(command(io));
  }
  program.addCommand(measureCommand(io), { hidden: true });
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    // Errors are told once, by whoever runs the program, as text or as JSON.
    command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
      throw new UsageError(error, command);
    });
  }
  return program;
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

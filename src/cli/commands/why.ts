import { Command } from 'commander';
import type { WhyAnswer } from '../../actions/tellTask.js';
import type { CommandIo } from '../io.js';
import { type SourceFlags, sourceOf, withSourceOptions } from '../options.js';
import { paymentLines } from '../payments.js';
import { result } from '../result.js';

const examples = `Examples:
  panthalia why 0x1a2b3c4d                  each payment because of this task
  panthalia why worker_2                    each payment that worker_2 made or got, and each bond it lost
  panthalia why 0x90F79bf6 --deployment deployment.json
`;

export function whyCommand(io: CommandIo): Command {
  const command = new Command('why')
    .description('explain every payment and slash of a task or an account by its rule and its values')
    .argument('<task or account>', 'id of a task or its first digits; name or address of an account')
    .addHelpText('before', examples)
    .action((given: string, flags: SourceFlags) => tell(given, flags, io));
  return withSourceOptions(command);
}

async function tell(given: string, flags: SourceFlags, io: CommandIo): Promise<void> {
  const { tellWhy } = await import('../../actions/tellTask.js');
  const answer = await tellWhy(sourceOf(flags), given, io.signal);
  io.print(flags.json ? result(answer) : whyText(answer));
}

function whyText({ subject, payments }: WhyAnswer): string {
  const isAccount = 'account' in subject;
  const about = isAccount ? subject.account : null;
  const head = isAccount ? `${subject.name} (${subject.account})` : `task ${subject.taskId}`;
  if (payments.length === 0) return `${head}: no tokens moved`;
  return [head, ...paymentLines(payments, about)].join('\n');
}

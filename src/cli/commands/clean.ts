import { Command } from 'commander';
import type { CleanPlan } from '../../actions/cleanRuns.js';
import { PanthaliaError } from '../../errors.js';
import { confirm } from '../ask.js';
import type { CommandIo } from '../io.js';
import { wholeNumber, withOutputOptions } from '../options.js';
import { result } from '../result.js';

interface CleanFlags {
  keep: number;
  dryRun?: true;
  yes?: true;
  json?: true;
}

const examples = `Examples:
  panthalia clean                           shows what would go, and asks
  panthalia clean --keep 0 --yes            all runs that are over
  panthalia clean --dry-run
`;

export function cleanCommand(io: CommandIo): Command {
  const command = new Command('clean')
    .description('remove old run folders, and end what a dead run left behind')
    .option('--keep <n>', 'how many of the newest runs stay', wholeNumber, 5)
    .option('-n, --dry-run', 'only say what would be done')
    .option('-y, --yes', 'do not ask')
    .addHelpText('before', examples)
    .action((flags: CleanFlags) => run(flags, io));
  return withOutputOptions(command);
}

async function run({ keep, dryRun, yes, json }: CleanFlags, io: CommandIo): Promise<void> {
  const { clean, planCleaning } = await import('../../actions/cleanRuns.js');
  const plan = await planCleaning({ keep });
  const isEmpty = plan.remove.length + plan.orphans.length === 0;
  const lines = planLines(plan);
  if (!json) for (const line of lines) io.print(line);
  if (!dryRun && !isEmpty) {
    if (!yes && !(await confirm('Remove them?'))) throw notConfirmed();
    await clean(plan);
  }
  if (json) io.print(result({ ...plan, done: !dryRun }));
}

function planLines({ remove, orphans, kept }: CleanPlan): string[] {
  return [
    ...remove.map(({ path, sizeBytes }) => `remove  ${path}  ${(sizeBytes / 1e6).toFixed(1)} MB`),
    ...orphans.map(({ pid, process, runId }) => `end     ${process} of run ${runId}, pid ${pid}`),
    `keep    ${kept.length === 0 ? 'nothing' : kept.join(', ')}`,
  ];
}

function notConfirmed(): PanthaliaError {
  return new PanthaliaError('declined', 'Nothing was removed.', {
    code: 'clean.not_confirmed',
    next: 'panthalia clean --yes',
  });
}

import { Command } from 'commander';
import type { CommandIo } from '../io.js';
import { withOutputOptions } from '../options.js';
import { result } from '../result.js';

const examples = `Examples:
  panthalia report                          of the latest run, into its folder
  panthalia report runs/20261122-051733-3fa9 --out /tmp/report
`;

export function reportCommand(io: CommandIo): Command {
  const command = new Command('report')
    .description('write report.html, loss.png, loss.csv, tasks.csv and summary.md of a run')
    .argument('[run]', 'folder of a run, or its id in runs/ (default: the latest)')
    .option('--out <dir>', "where to write (default: the run's folder)")
    .addHelpText('before', examples)
    .action((run: string | undefined, flags: { out?: string; json?: true }) => write(run, flags, io));
  return withOutputOptions(command);
}

async function write(run: string | undefined, { out, json }: { out?: string; json?: true }, io: CommandIo) {
  const { findRun } = await import('../../actions/findRun.js');
  const { writeReport } = await import('../../actions/writeReport.js');
  const paths = await writeReport(findRun(run), out);
  io.print(json ? result({ paths }) : paths.join('\n'));
}

import { Command } from 'commander';
import { formatTokens } from '../../events/amount.js';
import { plural } from '../../events/plural.js';
import type { CommandIo } from '../io.js';
import { type MetricsFlag, metricsOption, openMetrics } from '../metrics.js';
import {
  accountSource,
  type ChainFlags,
  connection,
  type MachineFlags,
  machineOf,
  opsetOption,
  taskId,
  tokenAmount,
  withAccountOptions,
  withDeploymentOptions,
  withMachineOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface DisputeFlags extends ChainFlags, MachineFlags, MetricsFlag {
  opset: 'canon-f32-v1' | 'torch';
  maxFee?: bigint;
  json?: true;
  verbose?: true;
}

const details = `
Re-executes the task first. If the result is right it says so, spends nothing and ends with 14; if it is wrong it pays the fee,
names the first wrong step and follows the case: 0 when the dispute is upheld, 13 when it is lost.

Examples:
  panthalia dispute 0x1a2b3c4d              a task of the run that is going on, with development account 9
  panthalia dispute 0x1a2b3c4d --deployment deployment.json --account me --password-file password --max-fee 50`;

export function disputeCommand(io: CommandIo): Command {
  const command = new Command('dispute')
    .description('re-execute a task, and dispute its result if it is wrong')
    .argument('<taskId>', 'or its first digits, as panthalia status lists them')
    .addOption(opsetOption())
    .option('--max-fee <amount>', 'most to pay for one panel, in tokens', tokenAmount)
    .addOption(metricsOption())
    .option('-v, --verbose', 'tell every event')
    .addHelpText('after', details)
    .action((id: string, flags: DisputeFlags) => run(id, flags, io));
  return withOutputOptions(withAccountOptions(withMachineOptions(withDeploymentOptions(command))));
}

async function run(id: string, flags: DisputeFlags, io: CommandIo): Promise<void> {
  const { maxFee, opset } = flags;
  const task = taskId(id);
  const { runDispute } = await import('../../actions/runRole.js');
  const { scratchFolder } = await import('../../actions/scratch.js');
  await using scratch = await scratchFolder();
  await using metrics = await openMetrics(flags, io);
  const { feePaid, received, ...outcome } = await runDispute({
    ...connection(flags, roleEvents('disputer', flags, io, metrics.listener), io),
    onMarket: metrics.follow,
    account: (chainId) => accountSource(flags, chainId),
    dispute: { taskId: task, ...(maxFee === undefined ? {} : { maxFee }) },
    machine: machineOf(flags),
    opset,
    scratch: scratch.path,
  });
  const [paid, got] = [formatTokens(feePaid), formatTokens(received)];
  const { taskId: whole, firstWrongStep, verdict, rounds } = outcome;
  const text = `task ${whole} is ${verdict} from step ${firstWrongStep} on, after ${plural(rounds, 'panel')}: ${paid} paid, ${got} received`;
  io.print(flags.json ? result({ ...outcome, feePaid: paid, received: got }) : text);
}

import { Command } from 'commander';
import type { CommandIo } from '../io.js';
import {
  accountSource,
  type ChainFlags,
  connection,
  deviceOption,
  taskId,
  withAccountOptions,
  withDeploymentOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface DisputeFlags extends ChainFlags {
  device: 'cpu' | 'cuda';
  json?: true;
  verbose?: true;
}

const details = `
Re-executes the task first. If the result is right it says so, spends nothing and ends with 14; if it is wrong it pays the fee,
names the first wrong step and follows the case: 0 when the dispute is upheld, 13 when it is lost.`;

export function disputeCommand(io: CommandIo): Command {
  const command = new Command('dispute')
    .description('re-execute a task, and dispute its result if it is wrong')
    .argument('<taskId>', '0x and 64 hex digits, as panthalia status lists them')
    .addOption(deviceOption())
    .option('-v, --verbose', 'tell every event')
    .addHelpText('after', details)
    .action((id: string, flags: DisputeFlags) => run(id, flags, io));
  return withOutputOptions(withAccountOptions(withDeploymentOptions(command)));
}

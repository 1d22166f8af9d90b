import { Command } from 'commander';
import type { Status } from '../../actions/readStatus.js';
import type { CommandIo } from '../io.js';
import { type ChainFlags, connection, withDeploymentOptions, withOutputOptions } from '../options.js';
import { result } from '../result.js';

export function statusCommand(io: CommandIo): Command {
  const command = new Command('status')
    .description('one page about a deployment: model, tasks, stakes, ledger')
    .action((flags: ChainFlags & { json?: true }) => run(flags, io));
  return withOutputOptions(withDeploymentOptions(command));
}

async function run(flags: ChainFlags & { json?: true }, io: CommandIo): Promise<void> {
  const { readStatus } = await import('../../actions/readStatus.js');
  const status = await readStatus(connection(flags, () => {}, io));
  io.print(flags.json ? result(status) : statusText(status));
}

function statusText({ chainId, rpcUrl, block, sot, tasks, positions, ledger }: Status): string {
  const model = sot?.model ?? null;
  return [
    `chain    ${chainId} at ${rpcUrl}, block ${block}`,
    `sot      ${sot === null ? 'none' : sot.url}`,
    model === null
      ? 'model    unknown'
      : `model    version ${model.number}, validation loss ${model.validationLoss.toFixed(4)}, state ${model.stateRoot}`,
    `ledger   ${ledger.deposited} deposited, ${ledger.withdrawn} withdrawn, ${ledger.burned} burned, ${ledger.slashed} slashed`,
    ...positions.map(
      ({ account, role, seats, jailed, slashed }) =>
        `stake    ${account} ${role.padEnd(8)} ${seats} seats${slashed === '0' ? '' : `, ${slashed} slashed`}${jailed ? ', jailed' : ''}`,
    ),
    ...tasks.map(
      ({ taskId, round, slot, state, solver }) =>
        `task     ${taskId} round ${round} slot ${slot} ${state}${solver === null ? '' : ` ${solver}`}`,
    ),
  ].join('\n');
}

import { Command } from 'commander';
import type { Status } from '../../actions/readStatus.js';
import type { CommandIo } from '../io.js';
import { type ChainFlags, connection, taskId, withDeploymentOptions, withOutputOptions } from '../options.js';
import { result } from '../result.js';
import { taskText } from './task.js';

const examples = `Examples:
  panthalia status                          of the latest run, while it lasts
  panthalia status 0x1a2b3c4d --deployment deployment.json
`;

export function statusCommand(io: CommandIo): Command {
  const command = new Command('status')
    .description('one page about a deployment: model, tasks, stakes, ledger; or all about one task')
    .argument(
      '[taskId]',
      'or its first digits: its story from the chain, as panthalia task tells it from a run',
    )
    .addHelpText('before', examples)
    .action((id: string | undefined, flags: ChainFlags & { json?: true }) =>
      id === undefined ? run(flags, io) : tell(id, flags, io),
    );
  return withOutputOptions(withDeploymentOptions(command));
}

async function run(flags: ChainFlags & { json?: true }, io: CommandIo): Promise<void> {
  const { readStatus } = await import('../../actions/readStatus.js');
  const status = await readStatus(connection(flags, () => {}, io));
  io.print(flags.json ? result(status) : statusText(status));
}

async function tell(id: string, flags: ChainFlags & { json?: true }, io: CommandIo): Promise<void> {
  const given = taskId(id);
  const { tellTask } = await import('../../actions/tellTask.js');
  const { deployment, rpcUrl } = connection(flags, () => {}, io);
  const answer = await tellTask(
    { deployment, ...(rpcUrl === undefined ? {} : { rpcUrl }) },
    given,
    io.signal,
  );
  io.print(flags.json ? result(answer) : taskText(answer));
}

function statusText({ chainId, rpcUrl, block, subnet, sot, jobs, tasks, positions, ledger }: Status): string {
  const model = sot?.model ?? null;
  return [
    `chain    ${chainId} at ${rpcUrl}, block ${block}`,
    `subnet   ${subnet.subnetId} ${subnet.state}`,
    `sot      ${sot === null ? 'none' : sot.url}`,
    model === null
      ? 'model    unknown'
      : `model    version ${model.number}, validation loss ${model.validationLoss.toFixed(4)}, state ${model.stateRoot}`,
    ...jobs.map(
      ({ jobId, rounds, stateRoot }) => `on chain job ${jobId}: ${rounds} outer steps, state ${stateRoot}`,
    ),
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

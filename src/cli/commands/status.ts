import { Command } from 'commander';
import type { Status } from '../../actions/readStatus.js';
import { plural } from '../../events/plural.js';
import type { CommandIo } from '../io.js';
import { type ChainFlags, connection, taskId, withDeploymentOptions, withOutputOptions } from '../options.js';
import { result } from '../result.js';
import { taskText } from './task.js';

const examples = `Examples:
  panthalia status                          of the latest run, while it lasts
  panthalia status 0x1a2b3c4d --deployment deployment.json
  panthalia status 0x90F79bf6EB2c4f870365E785982E1f101E93b906
`;

export function statusCommand(io: CommandIo): Command {
  const command = new Command('status')
    .description(
      'one page about a deployment: model, tasks, stakes, ledger; or all about one task or account',
    )
    .argument(
      '[task or account]',
      'id of a task or its first digits: its story from the chain, as panthalia task tells it from a run; or a whole address: its stakes',
    )
    .addHelpText('before', examples)
    .action((given: string | undefined, flags: ChainFlags & { json?: true }) => {
      if (given === undefined) return run(flags, io);
      return isAddress(given) ? tellAccount(given, flags, io) : tell(given, flags, io);
    });
  return withOutputOptions(withDeploymentOptions(command));
}

async function run(flags: ChainFlags & { json?: true }, io: CommandIo): Promise<void> {
  const { readStatus } = await import('../../actions/readStatus.js');
  const status = await readStatus(connection(flags, () => {}, io));
  io.print(flags.json ? result(status) : statusText(status));
}

/** A task id has more digits, or is given by fewer. */
function isAddress(given: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(given);
}

async function tellAccount(given: string, flags: ChainFlags & { json?: true }, io: CommandIo): Promise<void> {
  const { readStatus } = await import('../../actions/readStatus.js');
  const { positions, tasks, block } = await readStatus(connection(flags, () => {}, io));
  const isOurs = (account: string | null) => account?.toLowerCase() === given.toLowerCase();
  const own = {
    ...{ account: given, block, positions: positions.filter(({ account }) => isOurs(account)) },
    tasks: tasks.filter(({ solver }) => isOurs(solver)),
  };
  const isNobody = own.positions.length === 0 && own.tasks.length === 0;
  const lines = [...own.positions.map(positionLine), ...own.tasks.map(taskLine)];
  const text = isNobody ? `${given} has staked nothing here` : lines.join('\n');
  io.print(flags.json ? result(own) : text);
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
    `subnet   ${subnet.subnetId} ${subnet.state}${subnet.version === null ? '' : `, parameters of version ${subnet.version}`}`,
    ...comingLines(subnet),
    `sot      ${sot === null ? 'none' : sot.url}`,
    model === null
      ? `model    ${modelProblem(sot)}`
      : `model    version ${model.number}, validation loss ${model.validationLoss.toFixed(4)}, state ${model.stateRoot}`,
    ...jobs.map(
      ({ jobId, rounds, stateRoot }) =>
        `on chain job ${jobId}: ${plural(rounds, 'outer step')}, state ${stateRoot}`,
    ),
    `ledger   ${ledger.deposited} deposited, ${ledger.withdrawn} withdrawn, ${ledger.burned} burned, ${ledger.slashed} slashed`,
    ...positions.map(positionLine),
    ...tasks.map(taskLine),
  ].join('\n');
}

function modelProblem(sot: Status['sot']): string {
  if (sot === null) return 'unknown: this deployment names no Source of Truth to ask';
  return sot.problem ?? 'none yet';
}

function comingLines({ coming }: Status['subnet']): string[] {
  if (coming === null) return [];
  const { version, epoch, block } = coming;
  return [
    `         version ${version} comes into force at epoch ${epoch}, in block ${block}; tasks posted until then keep version ${version - 1};`,
    '         who does not want to work under it asks for the stake back before: panthalia unstake',
  ];
}

function positionLine({ account, role, seats, unstaking, jailed, slashed }: Status['positions'][number]) {
  const more = [
    ...(unstaking === 0 ? [] : [`${unstaking} unstaking`]),
    ...(slashed === '0' ? [] : [`${slashed} slashed`]),
    ...(jailed ? ['jailed: convicted, and drawn no more'] : []),
  ];
  return [`stake    ${account} ${role.padEnd(8)} ${plural(seats, 'seat')}`, ...more].join(', ');
}

function taskLine({ taskId: id, round, slot, state, solver }: Status['tasks'][number]) {
  return `task     ${id} round ${round} slot ${slot} ${state}${solver === null ? '' : ` ${solver}`}`;
}

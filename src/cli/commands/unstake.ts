import { Command, Option } from 'commander';
import type { TakenBack, Unstaked } from '../../actions/takeBack.js';
import { plural } from '../../events/plural.js';
import type { Role } from '../../protocol/facts.js';
import type { CommandIo } from '../io.js';
import {
  accountSource,
  type ChainFlags,
  connection,
  positiveInteger,
  withAccountOptions,
  withChainOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface UnstakeFlags extends ChainFlags {
  role?: Role;
  seats?: number;
  json?: true;
}

const details = `
Seats asked back are drawn no more, and answer further on for what they were drawn for. The cooldown begins now, also for what was
asked back before. Stop the worker first: it stakes again when it starts.

Examples:
  panthalia unstake                                  all of development account 9, in the latest run
  panthalia unstake --role solver --seats 1 --deployment deployment.json --account me --password-file password
  panthalia withdraw                                 when the cooldown is over`;

export function unstakeCommand(io: CommandIo): Command {
  const command = new Command('unstake')
    .description('ask the stake back, and say when it can be withdrawn and what still holds it')
    .addOption(new Option('--role <role>', 'of which seats (default: both)').choices(['solver', 'verifier']))
    .option('--seats <n>', 'how many of each role (default: all)', positiveInteger)
    .addHelpText('after', details)
    .action((flags: UnstakeFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(withChainOptions(command)));
}

async function run(flags: UnstakeFlags, io: CommandIo): Promise<void> {
  const { role, seats } = flags;
  const { unstake } = await import('../../actions/takeBack.js');
  const done = await unstake({
    ...connection(flags, roleEvents('unstake', {}, io), io),
    account: (chainId) => accountSource(flags, chainId),
    ...(role === undefined ? {} : { role }),
    ...(seats === undefined ? {} : { seats }),
  });
  io.print(flags.json ? result(done) : [...askedLines(done), ...stakeLines(done)].join('\n'));
}

function askedLines({ asked, account }: Unstaked): string[] {
  if (asked.length === 0) return [`asked    nothing new: all seats of ${account} are asked back already`];
  return asked.map(({ role, seats }) => `asked    ${plural(seats, `${role} seat`)} of ${account} back`);
}

/** What is left of the stake, and why it is not here yet. */
export function stakeLines({ stakes, holds }: TakenBack): string[] {
  return [
    ...stakes.filter(({ staked }) => staked !== '0').map(stakeLine),
    ...holds.map(
      ({ role, what, taskId, state, until }) =>
        `held     ${role} bond by ${whatNames[what]} ${taskId.slice(0, 10)}: ${state}${until === null ? '' : `, until ${clock(until)} or later`}`,
    ),
  ];
}

const whatNames = { task: 'task', seat: 'a panel about task', check: 'a check of task' };

function stakeLine({ role, seats, pending, staked, cooldown, locked }: TakenBack['stakes'][number]): string {
  const back = cooldown === null ? '' : `, ${pending} asked back: ${endOf(cooldown)}`;
  const held = locked === 0 ? '' : `, ${plural(locked, 'bond')} held`;
  return `stake    ${role.padEnd(8)} ${staked} PAN, ${plural(seats, 'seat')} drawn further on${back}${held}`;
}

function endOf({ epoch, block, over, at }: NonNullable<TakenBack['stakes'][number]['cooldown']>): string {
  if (over) return 'the cooldown is over';
  const when = at === null ? '' : `, about ${clock(at)}`;
  return `cooldown until epoch ${epoch}, block ${block}${when}`;
}

/** Local time, with its day: cooldowns of public chains are weeks. */
function clock(seconds: number): string {
  const at = new Date(1000 * seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${at.toTimeString().slice(0, 8)}`;
}

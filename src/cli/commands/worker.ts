import { Command, Option } from 'commander';
import { PanthaliaError } from '../../errors.js';
import { formatTokens } from '../../events/amount.js';
import { type CommandIo, Interruption } from '../io.js';
import { type MetricsFlag, metricsOption, openMetrics } from '../metrics.js';
import {
  accountSource,
  type ChainFlags,
  connection,
  type MachineFlags,
  machineOf,
  opsetOption,
  secondsOfADay,
  tokenAmount,
  withAccountOptions,
  withDeploymentOptions,
  withMachineOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface WorkerFlags extends ChainFlags, MachineFlags, MetricsFlag {
  stake?: bigint | true;
  audit: 'never' | 'assigned' | 'all' | 'drawn';
  opset: 'canon-f32-v1' | 'torch';
  scratch?: string;
  stay?: number;
  endOn?: NodeJS.Signals;
  cheat?: string;
  json?: true;
  verbose?: true;
}

const oneSeat = '100';

const details = `
Joins a running deployment, solves and verifies until interrupted, then tells what it still owes and finishes it. A second Ctrl-C ends
it at once. What was staked stays, and is drawn further on, until panthalia unstake asks it back.
Where a panel finds a result of its own wrong that is right, it appeals: by default 50 for the second panel, 20 more for each one after it,
and all of it back if the last one agrees. Have that in the account; without it the seat is lost.
Before it stakes anything it computes a few steps (panthalia conformance) and refuses if this machine gives other bits than it must.

Examples:
  panthalia worker --stake                             against the latest run, with development account 9
  panthalia worker --stake 200 --deployment deployment.json --keystore key.json --password-file password`;

export function workerCommand(io: CommandIo): Command {
  const command = new Command('worker')
    .description('stake, solve tasks and verify those of others')
    .option(
      '--stake [amount]',
      `tokens to stake as solver, in whole seats of ${oneSeat} (default: one seat; 0 stakes nothing new)`,
      tokenAmount,
    )
    .addOption(
      new Option('--audit <policy>', 'which tasks to re-execute unasked')
        .choices(['never', 'assigned', 'all', 'drawn'])
        .default('assigned')
        .env('PANTHALIA_AUDIT'),
    )
    .addOption(opsetOption())
    .addOption(
      new Option(
        '--scratch <dir>',
        'folder for files in flight, and for what has to outlive a crash (default: a temporary one)',
      ).env('PANTHALIA_SCRATCH'),
    )
    .addOption(
      new Option(
        '--stay <seconds>',
        'after Ctrl-C, for how long to finish what is owed: votes, checks, answers about own results (default: 600)',
      )
        .argParser(secondsOfADay)
        .env('PANTHALIA_STAY'),
    )
    .addOption(new Option('--end-on <signal>', 'its sender ends the chain, too: nothing is owed').hideHelp())
    .addOption(new Option('--cheat <fault>', 'misbehave, for tests').hideHelp())
    .addOption(metricsOption())
    .option('-v, --verbose', 'tell every event')
    .addHelpText('after', details)
    .action((flags: WorkerFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(withMachineOptions(withDeploymentOptions(command))));
}

async function run(flags: WorkerFlags, io: CommandIo): Promise<void> {
  const { stake, audit, cheat: fault, opset, stay: staySeconds, endOn } = flags;
  const stakeAmount = typeof stake === 'bigint' ? stake : tokenAmount(oneSeat);
  const { runWorker } = await import('../../actions/runRole.js');
  const { scratchFolder } = await import('../../actions/scratch.js');
  await using scratch = await scratchFolder(flags.scratch);
  await using metrics = await openMetrics(flags, io);
  const report = await runWorker({
    ...connection(flags, roleEvents('worker', flags, io, metrics.listener), io),
    onMarket: metrics.follow,
    account: (chainId) => accountSource(flags, chainId),
    worker: {
      ...{ stakeAmount, audit },
      ...(staySeconds === undefined ? {} : { staySeconds }),
      ...(fault === undefined ? {} : { fault }),
      isTheEnd: (reason) => reason instanceof Interruption && reason.signal === endOn,
    },
    machine: machineOf(flags),
    opset,
    scratch: scratch.path,
    // A temporary folder is gone with the process: then what is asked is computed again.
    memory: flags.scratch ?? scratch.path,
  });
  const { solved, audited, disputed, voted, slashed } = report;
  const lost = formatTokens(slashed);
  const exitCode = io.fail(slashed > 0n ? wasSlashed(lost) : io.signal.reason);
  const text = `${solved} solved, ${audited} audited, ${disputed} disputed, ${voted} voted, ${lost} slashed`;
  io.print(flags.json ? result({ ...report, slashed: lost }, exitCode) : text);
}

function wasSlashed(lost: string): PanthaliaError {
  return new PanthaliaError('slashed', `This worker has lost ${lost} of its stake.`, {
    code: 'worker.slashed',
    next: 'panthalia status shows what is left',
  });
}

import { Command } from 'commander';
import type { CommandIo } from '../io.js';
import { type MetricsFlag, metricsOption, openMetrics } from '../metrics.js';
import {
  accountSource,
  type ChainFlags,
  connection,
  withAccountOptions,
  withDeploymentOptions,
  withOutputOptions,
} from '../options.js';
import { roleEvents } from '../roleEvents.js';

interface MasterFlags extends ChainFlags, MetricsFlag {
  manifest: string;
  json?: true;
  verbose?: true;
}

const examples = `Examples:
  panthalia master --deployment deployment.json --manifest manifest.json --account buyer --password-file password
`;

export function masterCommand(io: CommandIo): Command {
  const command = new Command('master')
    .description("post each round's tasks and make the calls that are due")
    .requiredOption('--manifest <file>', 'manifest.json of the run')
    .addOption(metricsOption())
    .option('-v, --verbose', 'tell every event')
    .addHelpText('before', examples)
    .action((flags: MasterFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(withDeploymentOptions(command)));
}

async function run(flags: MasterFlags, io: CommandIo): Promise<void> {
  const { runMaster } = await import('../../actions/runRole.js');
  await using metrics = await openMetrics(flags, io);
  await runMaster({
    ...connection(flags, roleEvents('master', flags, io, metrics.listener), io),
    onMarket: metrics.follow,
    account: (chainId) => accountSource(flags, chainId),
    manifest: flags.manifest,
  });
  // It ends by itself only when the work is done.
  io.signal.throwIfAborted();
}

import { Command, Option } from 'commander';
import type { CommandIo } from '../io.js';
import { type MetricsFlag, metricsOption, openMetrics } from '../metrics.js';
import {
  address,
  type ChainFlags,
  connection,
  depthInBlocks,
  type MachineFlags,
  machineOf,
  wholeNumber,
  withChainOptions,
  withMachineOptions,
  withOutputOptions,
} from '../options.js';
import { roleEvents } from '../roleEvents.js';

interface SotFlags extends ChainFlags, MachineFlags, MetricsFlag {
  manifest: string;
  dataDir: string;
  buyer: `0x${string}`;
  host: string;
  port: number;
  depth?: number;
  json?: true;
  verbose?: true;
}

const examples = `Examples:
  panthalia sot --deployment deployment.json --manifest manifest.json --data-dir sot --buyer 0x3C44...93BC
`;

export function sotCommand(io: CommandIo): Command {
  const command = new Command('sot')
    .description('the Source of Truth: store blobs, apply the outer step to what the chain accepted')
    .requiredOption('--manifest <file>', 'manifest.json of the run')
    .requiredOption('--data-dir <dir>', 'blobs and versions; goes on from what lies there')
    .requiredOption('--buyer <address>', "the master's account", address)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .addOption(
      new Option('--port <n>', '0 takes a free one')
        .argParser(wholeNumber)
        .default(0)
        .env('PANTHALIA_SOT_PORT'),
    )
    .option(
      '--depth <n>',
      'blocks after the acceptance of a round before it is merged, as long as a reorganisation may take it back (default: 64, on chain 31337 0)',
      depthInBlocks,
    )
    .addOption(metricsOption())
    .option('-v, --verbose', 'tell every event')
    .addHelpText('before', examples)
    .action((flags: SotFlags) => run(flags, io));
  return withOutputOptions(withMachineOptions(withChainOptions(command)));
}

async function run(flags: SotFlags, io: CommandIo): Promise<void> {
  const { manifest, dataDir: dir, buyer, host, port, depth } = flags;
  const { runSot } = await import('../../actions/runRole.js');
  await using metrics = await openMetrics(flags, io);
  await runSot({
    ...connection(flags, roleEvents('sot', flags, io, metrics.listener), io),
    onMarket: metrics.follow,
    ...{ manifest, dir, buyer, host, port, machine: machineOf(flags) },
    ...(depth === undefined ? {} : { depth }),
  });
  io.signal.throwIfAborted();
}

import { Command, Option } from 'commander';
import type { CommandIo } from '../io.js';
import {
  accountSource,
  type ChainFlags,
  positiveNumber,
  withAccountOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface DeployFlags extends ChainFlags {
  rpcUrl: string;
  out: string;
  challengeSeconds?: number;
  fund?: true;
  json?: true;
}

const examples = `Examples:
  panthalia deploy --rpc-url http://127.0.0.1:8545 --fund      on an anvil, with tokens for its accounts
  panthalia deploy --rpc-url https://... --account owner --password-file password --out deployment.json
`;

export function deployCommand(io: CommandIo): Command {
  const command = new Command('deploy')
    .description('put the contracts on a chain and open a subnet')
    .addOption(
      new Option('--rpc-url <url>', 'chain to deploy to').env('PANTHALIA_RPC_URL').makeOptionMandatory(),
    )
    .option('--out <file>', 'where to write the deployment', 'deployment.json')
    .option('--challenge-seconds <s>', 'time to dispute a result', positiveNumber)
    .option('--fund', 'mint 10,000 tokens to each of the 40 development accounts; chain 31337 only')
    .addHelpText('before', examples)
    .action((flags: DeployFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(command));
}

async function run(flags: DeployFlags, io: CommandIo): Promise<void> {
  const { deployTo } = await import('../../actions/deploy.js');
  const deployment = await deployTo({
    rpcUrl: flags.rpcUrl,
    account: (chainId) => accountSource(flags, chainId),
    out: flags.out,
    fund: flags.fund ?? false,
    params:
      flags.challengeSeconds === undefined ? {} : { challengeSeconds: Math.ceil(flags.challengeSeconds) },
    emit: roleEvents('deploy', {}, io),
    signal: io.signal,
  });
  const names = Object.keys(deployment.contracts);
  const width = Math.max(...names.map((name) => name.length));
  const lines = Object.entries(deployment.contracts).map(([name, at]) => `${name.padEnd(width)} ${at}`);
  io.print(flags.json ? result(deployment) : [...lines, `written to ${flags.out}`].join('\n'));
}

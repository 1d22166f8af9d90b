import { Command, Option } from 'commander';
import type { CommandIo } from '../io.js';
import {
  accountSource,
  type ChainFlags,
  positiveNumber,
  windowSeconds,
  withAccountOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';

interface DeployFlags extends ChainFlags {
  rpcUrl: string;
  out: string;
  challengeSeconds?: number;
  leastWindow?: number;
  fund?: true;
  json?: true;
}

const examples = `Examples:
  panthalia deploy --rpc-url http://127.0.0.1:8545 --fund      on an anvil, with tokens for its accounts
  panthalia deploy --rpc-url https://... --account owner --password-file password --least-window 900
`;

export function deployCommand(io: CommandIo): Command {
  const command = new Command('deploy')
    .description('put the contracts on a chain and open a subnet')
    .addOption(
      new Option('--rpc-url <url>', 'chain to deploy to').env('PANTHALIA_RPC_URL').makeOptionMandatory(),
    )
    .option('--out <file>', 'where to write the deployment', 'deployment.json')
    .option('--challenge-seconds <s>', 'time to dispute a result', positiveNumber)
    .option(
      '--least-window <s>',
      'no subnet may have a shorter window: longer than to the next seed and two transactions after it; on chain 31337 it is 1 where nothing is said',
      windowSeconds,
    )
    .option('--fund', 'mint 10,000 tokens to each of the 40 development accounts; chain 31337 only')
    .addHelpText('before', examples)
    .action((flags: DeployFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(command));
}

async function run(flags: DeployFlags, io: CommandIo): Promise<void> {
  const { rpcUrl, out, fund = false, challengeSeconds, leastWindow } = flags;
  const [{ deployTo }, { holdsSecrets, withoutSecrets }] = await Promise.all([
    import('../../actions/deploy.js'),
    import('../../errors.js'),
  ]);
  const deployment = await deployTo({
    ...{ rpcUrl, out, fund },
    account: (chainId) => accountSource(flags, chainId),
    params: challengeSeconds === undefined ? {} : { challengeSeconds: Math.ceil(challengeSeconds) },
    ...(leastWindow === undefined ? {} : { leastWindow }),
    emit: roleEvents('deploy', {}, io),
    signal: io.signal,
  });
  const names = Object.keys(deployment.contracts);
  const width = Math.max(...names.map((name) => name.length));
  const lines = Object.entries(deployment.contracts).map(([name, at]) => `${name.padEnd(width)} ${at}`);
  // What is printed ends in logs.
  const told = { ...deployment, rpcUrl: withoutSecrets(rpcUrl) };
  io.print(flags.json ? result(told) : [...lines, `written to ${out}`].join('\n'));
  if (!holdsSecrets(rpcUrl)) return;
  io.say(
    `${out} holds the whole RPC URL, which may have a key in it: take that out before you give the file away`,
  );
}

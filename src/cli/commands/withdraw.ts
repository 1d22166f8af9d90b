import { Command } from 'commander';
import type { Address } from '../../protocol/task.js';
import type { CommandIo } from '../io.js';
import {
  accountSource,
  address,
  type ChainFlags,
  connection,
  positiveTokens,
  withAccountOptions,
  withChainOptions,
  withOutputOptions,
} from '../options.js';
import { result } from '../result.js';
import { roleEvents } from '../roleEvents.js';
import { stakeLines } from './unstake.js';

interface WithdrawFlags extends ChainFlags {
  amount?: bigint;
  to?: Address;
  json?: true;
}

const details = `
Pays the stake whose cooldown is over into the vault, and the vault's balance to the wallet. Stop the worker first: the vault is where
it keeps the fees of its next disputes.

Examples:
  panthalia withdraw                                 all of development account 9, in the latest run
  panthalia withdraw --amount 12.5 --to 0x90F79bf6EB2c4f870365E785982E1f101E93b906 --account me --password-file password`;

export function withdrawCommand(io: CommandIo): Command {
  const command = new Command('withdraw')
    .description('take stake whose cooldown is over, and the balance in the vault, to a wallet')
    .option('--amount <tokens>', 'of the balance in the vault (default: all of it)', positiveTokens)
    .option('--to <address>', 'who gets it (default: the account itself)', address)
    .addHelpText('after', details)
    .action((flags: WithdrawFlags) => run(flags, io));
  return withOutputOptions(withAccountOptions(withChainOptions(command)));
}

async function run(flags: WithdrawFlags, io: CommandIo): Promise<void> {
  const { amount, to } = flags;
  const { withdraw } = await import('../../actions/takeBack.js');
  const done = await withdraw({
    ...connection(flags, roleEvents('withdraw', {}, io), io),
    account: (chainId) => accountSource(flags, chainId),
    ...(amount === undefined ? {} : { amount }),
    ...(to === undefined ? {} : { to }),
  });
  const lines = [
    ...(done.freed === '0' ? [] : [`freed    ${done.freed} PAN of stake`]),
    `paid     ${done.paid} PAN to ${done.to}`,
    ...(done.vault === '0' ? [] : [`vault    ${done.vault} PAN left`]),
    ...stakeLines(done),
  ];
  io.print(flags.json ? result(done) : lines.join('\n'));
}

import { Command, Option } from 'commander';
import { knownPassword, newPassword, secretFromInput } from '../ask.js';
import type { CommandIo } from '../io.js';
import { withOutputOptions } from '../options.js';
import { result } from '../result.js';
import { textTable } from '../table.js';

interface WalletFlags {
  keystoreDir?: string;
  passwordFile?: string;
  json?: true;
}

const examples = `Examples:
  panthalia wallet new worker               asks for a password, prints the address
  panthalia wallet import worker < key      reads the key from a pipe, or asks without an echo
  panthalia worker --stake --account worker --password-file password
  cast wallet address --account worker      Foundry opens the same files
`;

export function walletCommand(io: CommandIo): Command {
  const command = new Command('wallet')
    .description("encrypted keys in Foundry's folder and format")
    .addHelpText('before', examples);
  const subcommand = (name: string, description: string) =>
    withOutputOptions(
      new Command(name)
        .description(description)
        .option('--keystore-dir <dir>', 'folder of keystores (default: ~/.foundry/keystores)')
        .addOption(
          new Option('--password-file <file>', 'its first line is the password').env(
            'PANTHALIA_PASSWORD_FILE',
          ),
        ),
    );
  command.addCommand(
    subcommand('new', 'make a key and encrypt it')
      .argument('<name>', 'of the keystore')
      .action((name: string, flags: WalletFlags) => create(name, flags, io)),
  );
  command.addCommand(
    subcommand('import', 'encrypt a key that is piped in or typed')
      .argument('<name>', 'of the keystore')
      .action(async (name: string, flags: WalletFlags) =>
        create(name, flags, io, await secretFromInput('Private key: ')),
      ),
  );
  command.addCommand(
    subcommand('list', 'names and addresses').action((flags: WalletFlags) => list(flags, io)),
  );
  command.addCommand(
    subcommand('address', 'of one keystore')
      .argument('<name>', 'as wallet list tells it')
      .action((name: string, flags: WalletFlags) => address(name, flags, io)),
  );
  return command;
}

async function create(name: string, flags: WalletFlags, io: CommandIo, privateKey?: string): Promise<void> {
  const { createWallet, foundryKeystores } = await import('../../actions/wallet.js');
  const password = await newPassword(flags.passwordFile);
  const made = await createWallet(
    { name, dir: flags.keystoreDir ?? foundryKeystores },
    { password, ...(privateKey === undefined ? {} : { privateKey }) },
  );
  io.say(`written to ${made.path}`);
  io.print(flags.json ? result(made) : made.address);
}

async function list(flags: WalletFlags, io: CommandIo): Promise<void> {
  const { listWallets, foundryKeystores } = await import('../../actions/wallet.js');
  const wallets = await listWallets(flags.keystoreDir ?? foundryKeystores);
  if (flags.json) io.print(result({ wallets }));
  else if (wallets.length === 0) io.say('no keystores; panthalia wallet new NAME makes one');
  else
    io.print(
      textTable(
        ['name', 'address'],
        wallets.map(({ name, address: at }) => [name, at ?? '(not in the file)']),
      ),
    );
}

async function address(name: string, flags: WalletFlags, io: CommandIo): Promise<void> {
  const { walletAddress, foundryKeystores } = await import('../../actions/wallet.js');
  const place = { name, dir: flags.keystoreDir ?? foundryKeystores };
  const found = await walletAddress(place, () => knownPassword(flags.passwordFile));
  io.print(flags.json ? result({ name, address: found }) : found);
}

/** Flags that several commands share, and the parsers of their values. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Machine } from '../actions/compute.js';
import { latestDeployment } from '../actions/runFolder.js';
import type { AccountSource } from '../chain/accounts.js';
import type { PartialConfig } from '../config/schema.js';
import { PanthaliaError } from '../errors.js';
import type { Emit } from '../events/types.js';
import type { CommandIo } from './io.js';

/** --json and --quiet are read by main.ts; they are declared for help and for the check of unknown flags. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print events and the result as JSON, one per line, on stdout')
    .option('-q, --quiet', 'print nothing but the result');
}

export interface ChainFlags {
  rpcUrl?: string;
  sotUrl?: string;
  deployment?: string;
  keystore?: string;
  account?: string;
  passwordFile?: string;
  mnemonicIndex?: number;
  privateKey?: string;
  unsafePrivateKey?: boolean;
}

/** How to reach a deployment: all commands but simulate need one. */
export function withDeploymentOptions(command: Command): Command {
  return withChainOptions(command).addOption(
    new Option('--sot-url <url>', 'Source of Truth (default: from the deployment)').env('PANTHALIA_SOT_URL'),
  );
}

/** The same for whoever needs no Source of Truth. */
export function withChainOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--deployment <file>', 'deployment file (default: that of the latest run)').env(
        'PANTHALIA_DEPLOYMENT',
      ),
    )
    .addOption(
      new Option('--rpc-url <url>', 'chain to talk to (default: from the deployment)').env(
        'PANTHALIA_RPC_URL',
      ),
    );
}

export interface SourceFlags {
  run?: string;
  deployment?: string;
  rpcUrl?: string;
  json?: true;
}

/** Where to look at a market: a run's journal, or its chain. */
export function withSourceOptions(command: Command): Command {
  return withOutputOptions(
    command
      .option('--run <run>', 'folder of a run, or its id in runs/ (default: the latest)')
      .addOption(
        new Option('--deployment <file>', "ask this deployment's chain, and no run").env(
          'PANTHALIA_DEPLOYMENT',
        ),
      )
      .addOption(new Option('--rpc-url <url>', 'ask this chain, and no run').env('PANTHALIA_RPC_URL')),
  );
}

export function sourceOf({ run, deployment, rpcUrl }: SourceFlags) {
  return {
    ...(run === undefined ? {} : { run }),
    ...(deployment === undefined ? {} : { deployment }),
    ...(rpcUrl === undefined ? {} : { rpcUrl }),
  };
}

/** What a role needs to find its deployment: the one named, or that of the latest run. */
export function connection(flags: ChainFlags, emit: Emit, { say, signal }: CommandIo) {
  const { deployment = latestDeployment, rpcUrl, sotUrl } = flags;
  return {
    ...{ deployment, emit, say, signal },
    ...(rpcUrl === undefined ? {} : { rpcUrl }),
    ...(sotUrl === undefined ? {} : { sotUrl }),
  };
}

export interface MachineFlags {
  device: 'cpu' | 'cuda';
  threads: number;
}

/** How the engine of this process computes. */
export function withMachineOptions(command: Command, devices: readonly string[] = ['cpu', 'cuda']): Command {
  return command
    .addOption(
      new Option('--device <device>', 'where the engine computes')
        .choices(devices)
        .default('cpu')
        .env('PANTHALIA_DEVICE'),
    )
    .addOption(
      new Option('--threads <n>', 'threads of the engine')
        .argParser(positiveInteger)
        .default(1)
        .env('PANTHALIA_THREADS'),
    );
}

export function machineOf({ device, threads }: MachineFlags): Machine {
  return { device, threads };
}

export function opsetOption(): Option {
  return new Option('--opset <name>', 'the arithmetic to risk tokens on; torch differs between machines')
    .choices(['canon-f32-v1', 'torch'])
    .default('canon-f32-v1')
    .env('PANTHALIA_OPSET');
}

/** Who signs. */
export function withAccountOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--keystore <file>', 'encrypted key, as cast wallet writes it').env('PANTHALIA_KEYSTORE'),
    )
    .addOption(
      new Option('--account <name>', 'keystore of this name in ~/.foundry/keystores').env(
        'PANTHALIA_ACCOUNT',
      ),
    )
    .addOption(
      new Option('--password-file <file>', 'password of the keystore').env('PANTHALIA_PASSWORD_FILE'),
    )
    .addOption(
      new Option(
        '--mnemonic-index <n>',
        'account of the development mnemonic; chain 31337 only (default: 9 there)',
      )
        .env('PANTHALIA_MNEMONIC_INDEX')
        .argParser(wholeNumber),
    )
    .addOption(
      new Option('--private-key <key>', 'better by environment; chain 31337 only').env(
        'PANTHALIA_PRIVATE_KEY',
      ),
    )
    .option('--unsafe-private-key', 'accept --private-key on another chain');
}

/** On the development chain a command typed by hand gets an account that nobody in a run uses. */
const handAccountIndex = 9;
const developmentChainId = 31337;

export function accountSource(flags: ChainFlags, chainId: number): AccountSource {
  const { mnemonicIndex, privateKey, unsafePrivateKey } = flags;
  const { keystore, passwordFile } = keystoreOf(flags);
  const named = keystore ?? mnemonicIndex ?? privateKey;
  const fallback = named === undefined && chainId === developmentChainId ? handAccountIndex : mnemonicIndex;
  return {
    ...(keystore === undefined ? {} : { keystore }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(fallback === undefined ? {} : { mnemonicIndex: fallback }),
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(unsafePrivateKey === undefined ? {} : { allowUnsafeKey: unsafePrivateKey }),
  };
}

/** As given; where nothing is, as Foundry's own tools are told by the environment.
 *  throws usage/account.named_twice */
function keystoreOf(flags: ChainFlags): Pick<ChainFlags, 'keystore' | 'passwordFile'> {
  const { account, mnemonicIndex, privateKey } = flags;
  if (account !== undefined && flags.keystore !== undefined) {
    throw new PanthaliaError('usage', 'One of --account and --keystore was expected, both were given.', {
      code: 'account.named_twice',
      next: 'pass one of them; PANTHALIA_ACCOUNT and PANTHALIA_KEYSTORE count too',
    });
  }
  const { ETH_KEYSTORE, ETH_KEYSTORE_ACCOUNT, ETH_PASSWORD } = process.env;
  const isSilent = (flags.keystore ?? account ?? mnemonicIndex ?? privateKey) === undefined;
  const named = account ?? (isSilent && !ETH_KEYSTORE ? ETH_KEYSTORE_ACCOUNT : undefined);
  const keystore =
    flags.keystore ??
    (named
      ? join(homedir(), '.foundry', 'keystores', named)
      : isSilent
        ? ETH_KEYSTORE || undefined
        : undefined);
  const passwordFile = flags.passwordFile ?? (keystore === undefined ? undefined : ETH_PASSWORD || undefined);
  return {
    ...(keystore === undefined ? {} : { keystore }),
    ...(passwordFile === undefined ? {} : { passwordFile }),
  };
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

/** A day of the fastest chains is not waited for by mistake. */
const mostDepth = 10_000;

export function depthInBlocks(text: string): number {
  const value = wholeNumber(text);
  if (value > mostDepth) throw new InvalidArgumentError(`Expected at most ${mostDepth} blocks.`);
  return value;
}

const daySeconds = 86_400;

/** Timers hold no more than 24 days. */
export function secondsOfADay(text: string): number {
  const value = wholeNumber(text);
  if (value > daySeconds)
    throw new InvalidArgumentError(`Expected at most ${daySeconds} seconds, which are a day.`);
  return value;
}

/** ParamRules.sol allows no window to be longer. */
const mostWindowSeconds = 30 * daySeconds;

export function windowSeconds(text: string): number {
  const value = wholeNumber(text);
  if (value === 0 || value > mostWindowSeconds)
    throw new InvalidArgumentError(
      `Expected whole seconds from 1 to ${mostWindowSeconds}, which are 30 days.`,
    );
  return value;
}

export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('Expected a whole number above 0.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** 100 or 12.5, in whole tokens -> the token's smallest unit. */
export function tokenAmount(text: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,18}))?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected an amount of tokens such as 100 or 12.5.');
  return BigInt(match[1] ?? '0') * 10n ** 18n + BigInt((match[2] ?? '').padEnd(18, '0'));
}

export function positiveTokens(text: string): bigint {
  const amount = tokenAmount(text);
  if (amount === 0n) throw new InvalidArgumentError('Expected an amount above 0.');
  return amount;
}

/** worker_2:zero-delta, repeatable */
export function cheat(text: string, previous: PartialConfig['cheats'] = {}): Record<string, string> {
  const match = /^(worker_\d+):([a-z-]+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected WORKER:FAULT, such as worker_2:zero-delta.');
  return { ...previous, [match[1] ?? '']: match[2] ?? '' } as Record<string, string>;
}

export function address(text: string): `0x${string}` {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('Expected 0x and 40 hex digits.');
  return text as `0x${string}`;
}

/** The whole id or its first digits; said before anything is connected.  throws usage/task.bad_id */
export function taskId(text: string): string {
  if (/^(0x)?[0-9a-fA-F]{1,64}$/.test(text)) return text;
  throw new PanthaliaError(
    'usage',
    `A task id is 0x and up to 64 hex digits, received ${JSON.stringify(text)}.`,
    {
      code: 'task.bad_id',
      details: { received: text },
      next: 'panthalia status lists the tasks',
    },
  );
}

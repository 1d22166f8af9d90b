/** A local chain: the anvil binary of npm, started directly. Through `npx` there would be three processes, and killing
 *  the one we spawned would leave the real one mining. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PanthaliaError } from '../errors.js';
import { type Leash, openLeash } from './leash.js';
import { type Child, type ChildExit, startChild, untilReady } from './supervise.js';

export const developmentChainId = 31337;

const readyDeadlineMs = 20_000;

/** Blocks whose states can be asked about: more than a reorganisation that is followed takes away (watch.ts). Left to itself anvil
 *  writes the state of every block, a megabyte in the end, to a folder that it never removes. */
const statesKept = 256;

export interface AnvilOptions {
  /** 0 (the default) takes a free port */
  port?: number;
  /** seconds between blocks, fractions allowed; without it every transaction mines its own block */
  blockTimeSeconds?: number;
  accounts?: number;
  /** the states of all blocks can be asked about; they are on disk until the end. Default: of the last 256 */
  keepsHistory?: boolean;
  /** the chain is written here on a polite stop, and read from here on start */
  statePath?: string;
  logPath?: string;
  /** shared with the other children of a run; without one anvil gets its own */
  leash?: Leash;
  signal?: AbortSignal;
}

export interface Anvil {
  readonly rpcUrl: string;
  readonly port: number;
  readonly child: Child;
  /** SIGTERM, which lets anvil write its state. Twice is harmless. */
  stop(): Promise<ChildExit>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts anvil on 127.0.0.1 and resolves when its RPC answers.
 *  throws PanthaliaError `process.port_in_use`, `process.exited_early`, `process.not_ready`, `anvil.not_installed` */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const history = options.keepsHistory ? await mkdtemp(join(tmpdir(), 'panthalia-anvil-')) : null;
  const leash = options.leash ?? openLeash();
  let listening: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const child = await startChild({
    name: 'anvil',
    command: anvilBinary(),
    args: anvilArguments(options, history),
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    leash,
    ...(options.logPath === undefined ? {} : { logPath: options.logPath }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    // Keys do not belong into a log that one sends to somebody, not even those that everybody has.
    onLine: (line) => /^\(\d+\) 0x[0-9a-f]{64}$/.test(line) || /^Mnemonic:/.test(line),
    onLog: (line) => {
      const found = /^Listening on .*:(\d+)$/.exec(line)?.[1];
      if (found !== undefined) listening(Number(found));
    },
  });
  const stop = async () => {
    const exit = await child.stop();
    if (history !== null) await rm(history, { recursive: true, force: true });
    if (options.leash === undefined) leash.close();
    return exit;
  };
  try {
    const bound = await untilReady(child, port, readyDeadlineMs);
    const rpcUrl = `http://127.0.0.1:${bound}`;
    await untilReady(child, probe(rpcUrl), readyDeadlineMs);
    return { rpcUrl, port: bound, child, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  } catch (error) {
    await stop();
    throw child.tail.some((line) => line.includes('Address already in use'))
      ? portInUse('anvil', options.port ?? 0, '--rpc-port', error)
      : error;
  }
}

/** One sentence for every port that somebody else holds. */
function portInUse(process: string, port: number, flag: string, cause?: unknown): PanthaliaError {
  return new PanthaliaError('network', `Port ${port}, wanted by ${process}, is in use by another program.`, {
    code: 'process.port_in_use',
    details: { process, port },
    next: `choose another with ${flag}, or 0 for any free port`,
    cause,
  });
}

function anvilArguments(options: AnvilOptions, history: string | null): string[] {
  const args = ['--host', '127.0.0.1', '--port', String(options.port ?? 0)];
  // Its own mnemonic is the one that every local tool shares; as an argument it would stand in the list of processes.
  args.push('--chain-id', String(developmentChainId));
  args.push('--accounts', String(options.accounts ?? 40));
  // The randomness beacon proves old headers by EIP-2935, which came with Prague.
  args.push('--hardfork', 'prague');
  args.push(...(history === null ? ['--prune-history', String(statesKept)] : ['--cache-path', history]));
  if (options.blockTimeSeconds !== undefined) args.push('--block-time', String(options.blockTimeSeconds));
  if (options.statePath !== undefined) args.push('--state', options.statePath);
  return args;
}

/** The binary of the platform package that npm chose as optional dependency of @foundry-rs/anvil. */
export function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const platform = process.platform === 'win32' ? 'win32' : process.platform;
  const name = `@foundry-rs/anvil-${platform}-${architecture}/bin/anvil${process.platform === 'win32' ? '.exe' : ''}`;
  const require = createRequire(import.meta.url);
  try {
    return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(name);
  } catch (cause) {
    throw new PanthaliaError('config', `anvil is not installed for ${platform}-${architecture}.`, {
      code: 'anvil.not_installed',
      next: 'npm ci (without --omit=optional)',
      cause,
    });
  }
}

/** The port is open before the RPC answers; ask until it does. `untilReady` bounds the wait. */
async function probe(rpcUrl: string): Promise<void> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(readyDeadlineMs),
  });
  const { result } = (await response.json()) as { result?: string };
  if (Number(result) !== developmentChainId) {
    throw new PanthaliaError(
      'network',
      `anvil answered chain id ${result}, expected ${developmentChainId}.`,
      {
        code: 'anvil.wrong_chain',
      },
    );
  }
}

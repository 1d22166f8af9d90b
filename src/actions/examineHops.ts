/** The checks of `doctor` beyond what is installed: the way to the chain and to the Source of Truth, this machine's clock, GPU,
 *  terminal and keys. Each takes what it looks at, so that a test can give it something broken. */
import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createChain, latestBlock } from '../chain/client.js';
import { type Deployment, readDeployment } from '../chain/deployment.js';
import { createBlobClient } from '../data/blobClient.js';
import { runCommand } from '../engine/runCommand.js';
import { withoutSecrets } from '../errors.js';
import type { Finding } from './finding.js';

export interface Hops {
  /** path of a deployment file; null: none was named and there is no latest run */
  deployment: string | null;
  rpcUrl?: string;
  sotUrl?: string;
  /** somebody asked for it: a chain that does not answer has failed. A run that is over has none */
  isNamed: boolean;
}

const patienceMs = 3_000;
/** A task's deadlines are minutes; a clock that is off by more makes them look different here. */
const mostClockSkewSeconds = 30;

/** Chain, Source of Truth and clock: one depends on the other. */
export async function hopFindings(hops: Hops, signal: AbortSignal): Promise<Finding[]> {
  const deployment = await deploymentOf(hops);
  if ('state' in deployment) return [deployment, skipped('sot'), await clockFinding(null, signal)];
  const { rpcUrl, sotUrl, chainId } = deployment;
  const rpc = await rpcFinding(rpcUrl, chainId, hops.isNamed);
  const sot = sotUrl === null ? skipped('sot') : await sotFinding(sotUrl, hops.isNamed, signal);
  return [rpc.finding, sot, await clockFinding(rpc.timestamp, signal)];
}

type Place = Pick<Deployment, 'rpcUrl' | 'sotUrl'> & { chainId: number | null };

async function deploymentOf({ deployment, rpcUrl, sotUrl, isNamed }: Hops): Promise<Place | Finding> {
  if (deployment === null) {
    if (rpcUrl === undefined) return skipped('rpc');
    return { rpcUrl, sotUrl: sotUrl ?? null, chainId: null };
  }
  try {
    const found = await readDeployment(deployment);
    return { rpcUrl: rpcUrl ?? found.rpcUrl, sotUrl: sotUrl ?? found.sotUrl, chainId: found.chainId };
  } catch (error) {
    if (!isNamed) return skipped('rpc');
    const { message, next = 'pass --deployment FILE' } = error as Error & { next?: string };
    return { name: 'rpc', state: 'failed', detail: message, next };
  }
}

async function rpcFinding(
  rpcUrl: string,
  chainId: number | null,
  isNamed: boolean,
): Promise<{ finding: Finding; timestamp: number | null }> {
  const startedMs = performance.now();
  try {
    using chain = await createChain({ rpcUrl, ...(chainId === null ? {} : { chainId }) });
    const { number, timestamp } = await latestBlock(chain);
    const detail = `chain ${chain.chainId}, block ${number}, answers in ${(performance.now() - startedMs).toFixed(0)} ms`;
    // anvil's clock may have been moved by whoever plays with it.
    return { finding: { name: 'rpc', state: 'ok', detail }, timestamp };
  } catch (error) {
    const { message } = error as Error;
    if (!isNamed) return { finding: skipped('rpc', 'the latest run is over'), timestamp: null };
    const next = 'start the node, or pass --rpc-url URL of one that runs';
    return { finding: { name: 'rpc', state: 'failed', detail: message, next }, timestamp: null };
  }
}

async function sotFinding(url: string, isNamed: boolean, signal: AbortSignal): Promise<Finding> {
  try {
    const version = await createBlobClient({ url, patienceMs }).latestVersion({ signal });
    const detail = `${withoutSecrets(url)}, ${version === undefined ? 'no version yet' : `version ${version.number}`}`;
    return { name: 'sot', state: 'ok', detail };
  } catch (error) {
    if (!isNamed) return skipped('sot', 'the latest run is over');
    const next = 'start it (panthalia sot), or pass --sot-url URL of the one that runs';
    return { name: 'sot', state: 'failed', detail: (error as Error).message, next };
  }
}

/** chainSeconds: of the newest block, which is older than now by at most the time between blocks
 *  Without a chain, what the system says about its own synchronisation. */
export async function clockFinding(
  chainSeconds: number | null,
  signal: AbortSignal,
  nowMs = Date.now(),
): Promise<Finding> {
  const name = 'clock';
  if (chainSeconds !== null) {
    const skew = Math.round(nowMs / 1000 - chainSeconds);
    if (Math.abs(skew) <= mostClockSkewSeconds) {
      return { name, state: 'ok', detail: `${Math.abs(skew)} s from the newest block` };
    }
    const detail = `${Math.abs(skew)} s ${skew > 0 ? 'after' : 'before'} the newest block`;
    return {
      name,
      state: 'failed',
      detail,
      next: 'set the clock (timedatectl set-ntp true), or wait for a block',
    };
  }
  const args = ['show', '--property=NTPSynchronized', '--value'];
  const { code, stdout } = await runCommand('timedatectl', args, { signal });
  if (code !== 0) return skipped(name, 'nothing to compare it with');
  if (stdout.trim() === 'yes') return { name, state: 'ok', detail: 'synchronised' };
  return skipped(name, 'not synchronised by this system, and no chain to compare it with');
}

export async function gpuFinding(signal: AbortSignal, program = 'nvidia-smi'): Promise<Finding> {
  const name = 'gpu';
  const args = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const { code, stdout, tail } = await runCommand(program, args, { signal });
  if (code === null) return skipped(name, 'none; the engine computes on the CPU, to the same bits');
  if (code === 0) return { name, state: 'ok', detail: stdout.trim().split('\n').join('; ') };
  const detail = `the driver does not answer: ${tail.find((line) => line.trim() !== '') ?? `code ${code}`}`;
  return { name, state: 'failed', detail, next: 'mend the NVIDIA driver, or pass --device cpu' };
}

export interface TerminalFacts {
  columns: number | null;
  rows: number | null;
  env: Readonly<Record<string, string | undefined>>;
}

const leastColumns = 60;
const leastRows = 15;

export function terminalFinding({ columns, rows, env }: TerminalFacts): Finding {
  const name = 'terminal';
  if (columns === null || rows === null) return skipped(name, 'none: plain lines in place of the dashboard');
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  const failed = (detail: string, next: string): Finding => ({ name, state: 'failed', detail, next });
  if (env.TERM === 'dumb') return failed('TERM=dumb draws nothing', 'set TERM, or pass --ui plain');
  if (columns < leastColumns || rows < leastRows) {
    const detail = `${columns}x${rows}, and the dashboard needs ${leastColumns}x${leastRows}`;
    return failed(detail, 'make the window larger, or pass --ui plain');
  }
  if (!/utf-?8/i.test(locale)) {
    return failed(`the locale ${locale || '(none)'} is not UTF-8`, 'export LANG=C.UTF-8');
  }
  const colors = env.NO_COLOR ? 'no colours (NO_COLOR)' : (env.COLORTERM ?? env.TERM ?? 'colours unknown');
  return { name, state: 'ok', detail: `${columns}x${rows}, ${locale}, ${colors}` };
}

/** fix: take the rights of others away */
export async function keystoreFinding(dir: string, { fix }: { fix: boolean }): Promise<Finding> {
  const name = 'keystore';
  const files = await readdir(dir, { withFileTypes: true }).catch(() => null);
  if (files === null) return skipped(name, `no ${dir}; panthalia wallet new NAME makes one`);
  const open: string[] = [];
  const paths = files.filter((file) => file.isFile()).map((file) => join(dir, file.name));
  for (const path of paths) if (((await stat(path)).mode & 0o077) !== 0) open.push(path);
  if (fix) for (const path of open) await chmod(path, 0o600);
  if (open.length === 0 || fix) {
    return {
      name,
      state: 'ok',
      detail: `${paths.length} in ${dir}${fix && open.length > 0 ? ', closed to others now' : ''}`,
    };
  }
  const detail = `others may read ${open.join(', ')}`;
  return { name, state: 'failed', detail, next: `chmod 600 ${open.join(' ')}, or panthalia doctor --fix` };
}

function skipped(name: string, detail = 'no deployment is known; pass --deployment FILE'): Finding {
  return { name, state: 'skipped', detail };
}

/** A market of processes that nobody supervises: each role is started by its own command, as strangers would start it. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { writeDeployment } from '../../src/chain/deployment.js';
import { followMarket, type MarketFollower } from '../../src/chain/follow.js';
import type { SubnetParams } from '../../src/chain/params.js';
import { createBlobClient } from '../../src/data/blobClient.js';
import type { ModelVersion } from '../../src/data/versions.js';
import type { RunSummary } from '../../src/events/summary.js';
import type { Address, Hex32 } from '../../src/protocol/task.js';
import { startTestChain, type TestChain } from './chain.js';
import { type Cli, runCli, startCli, temporaryFolder } from './cli.js';
import { passQuietWindows, type QuietWindows } from './windows.js';

const [sotBuyer, blockSeconds] = [2, 0.5];

export interface MarketByHand extends AsyncDisposable {
  local: TestChain;
  /** of a test that looks on */
  market: MarketFollower;
  /** Starts a worker of this development account and waits until it has staked one seat. */
  worker(account: number, ...flags: string[]): Promise<Cli & { address: Address }>;
  /** Starts the master; it ends after the last round. */
  master(): Cli;
  latestVersion(): Promise<ModelVersion>;
  /** Lets windows to dispute pass (windows.ts). */
  passWindows(windows: Omit<QuietWindows, 'over'>): void;
  /** The Source of Truth no longer has it.  false when it never had it */
  loseBlob(blob: Hex32): boolean;
}

/** A run of the preset smoke that nobody disturbs, by `simulate`, to compare others with. */
export async function undisturbedRun(): Promise<{ summary: RunSummary; manifest: string }> {
  const folder = join(temporaryFolder(), 'run');
  const run = await runCli(['simulate', '--preset', 'smoke', '--seed', '7', '--json', '--run-dir', folder]);
  expect(run.code).toBe(0);
  return { summary: JSON.parse(run.out.at(-1) ?? 'null'), manifest: join(folder, 'manifest.json') };
}

/** manifest: path of a manifest.json */
export async function startMarketByHand(
  folder: string,
  manifest: string,
  params: Partial<SubnetParams>,
): Promise<MarketByHand> {
  const local = await startTestChain(params, blockSeconds);
  const started: Cli[] = [];
  const stop = new AbortController();
  const start = (...args: string[]) => {
    const cli = startCli([...args, '--json']);
    started.push(cli);
    return cli;
  };
  const here = join(folder, 'deployment.json');
  await writeDeployment(here, local.deployment);
  const addresses = developmentAddresses(20);
  const job = ['--deployment', here, '--manifest', manifest];
  const ready = async (cli: Cli, process: string) => {
    const event = await cli.event(process, (e) => e.type === 'process.ready' && e.process === process);
    return event.type === 'process.ready' ? event.url : undefined;
  };
  const sotDir = join(folder, 'sot');
  const sot = start('sot', ...job, '--data-dir', sotDir, '--buyer', addresses[sotBuyer] as string);
  const sotUrl = (await ready(sot, 'sot')) as string;
  await writeDeployment(here, { ...local.deployment, sotUrl });
  const { deployer: chain, deployment } = local;
  const market = await followMarket({ chain, deployment, signal: stop.signal, pollMs: 100 });
  return {
    local,
    market,
    passWindows: (windows) => passQuietWindows(market, local, { ...windows, over: stop.signal }),
    worker: async (account, ...flags) => {
      const index = ['--mnemonic-index', String(account)];
      const cli = start('worker', '--stake', '--deployment', here, ...index, ...flags);
      await ready(cli, 'worker');
      return { ...cli, address: addresses[account] as Address };
    },
    master: () => start('master', ...job, '--mnemonic-index', String(sotBuyer)),
    latestVersion: async () => (await createBlobClient({ url: sotUrl }).latestVersion()) as ModelVersion,
    loseBlob: (blob) => {
      const path = join(sotDir, 'blobs', blob.slice(2, 4), blob.slice(4));
      if (!existsSync(path)) return false;
      rmSync(path);
      return true;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the test is over'));
      for (const cli of started) cli.send('SIGKILL');
      await Promise.all(started.map(({ finished }) => finished));
      await local[Symbol.asyncDispose]();
    },
  };
}

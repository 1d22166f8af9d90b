/** A whole run on this machine, in order: folder, pace, chain, SOT, master, workers; and back in reverse. */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { latestBlock } from '../chain/client.js';
import { writeDeployment } from '../chain/deployment.js';
import { commandOf } from '../config/command.js';
import type { RunConfig } from '../config/schema.js';
import { PanthaliaError } from '../errors.js';
import type { EventListener } from '../events/bus.js';
import { type RunSummary, summarise } from '../events/summary.js';
import type { Emit } from '../events/types.js';
import { type Leash, openLeash } from '../process/leash.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import type { Address, RunManifest } from '../protocol/task.js';
import { checkFault } from '../roles/faults.js';
import { Crew } from './crew.js';
import { deadlinesOf } from './deadlines.js';
import { environment } from './environment.js';
import { accountsOf, type LocalChain, startLocalChain, watchChain } from './localChain.js';
import { manifestOf } from './manifest.js';
import { measurePace } from './pace.js';
import { playRoles } from './playRoles.js';
import { createRunFolder, pointLatestTo, type RunFolder, writeJson } from './runFolder.js';
import { openRecord, type RunRecord } from './runRecord.js';
import { setUp } from './setup.js';
import { writeReport } from './writeReport.js';

const closingDeadlineMs = 10_000;

export interface SimulateOptions {
  config: RunConfig;
  /** default: runs/<time>-<random> */
  runDir?: string;
  onEvent: EventListener;
  /** the folder of the run, before its first event */
  onFolder?: (folder: RunFolder) => void;
  /** progress of what is built before there is a run */
  say: (line: string) => void;
}

export interface SimulateResult {
  summary: RunSummary;
  folder: RunFolder;
  /** path of report.html; null when it could not be written, which changes nothing about the run */
  report: string | null;
  /** of the processes that sign, by name */
  accounts: Record<string, Address>;
  /** why the run did not complete; undefined when it did */
  error: unknown;
}

/** Runs to the end, to the first failure that can not be mended, or to the signal; in every case all children are gone and the
 *  run folder is complete when it resolves.
 *  throws only before there is a run: build/*, usage/config.*, config/run.folder_* */
export async function simulate(options: SimulateOptions, signal: AbortSignal): Promise<SimulateResult> {
  for (const fault of Object.values(options.config.cheats)) checkFault(fault);
  const folder = await createRunFolder(options.runDir);
  options.onFolder?.(folder);
  const { dataset } = await setUpFor(folder, options, signal);
  const manifest = manifestOf(options.config, dataset);
  const record = openRecord(folder, options.onEvent);
  const leash = openLeash();
  const run: Run = { ...options, manifest, folder, record, leash, vaultBalance: null, depositors: new Set() };
  record.bus.subscribe((event) => {
    if (event.type === 'chain.fact' && event.fact.type === 'Deposited')
      run.depositors.add(event.fact.account);
  });
  const stop = AbortSignal.any([signal, record.failure]);
  const emit = record.bus.emitterFor('simulate');
  // What a wait was given up for says more than where it was given up.
  const error = await train(run, stop).then(
    () => record.failure.reason,
    (cause) => stop.reason ?? cause,
  );
  if (error instanceof PanthaliaError) {
    emit({ type: 'alert', level: 'error', message: error.message, code: error.code });
  }
  emit({ type: 'run.ended', outcome: outcomeOf(error, signal) });
  const summary = summarise(record.view, run.vaultBalance);
  await writeJson(folder.summary, summary);
  const report = await reportOf(folder, emit);
  record.close();
  leash.close();
  return { summary, folder, report, accounts: accountsOf(options.config.workers), error };
}

/** Pictures of a run are worth less than the run: a failure is told and forgotten. */
async function reportOf(folder: RunFolder, emit: Emit): Promise<string | null> {
  try {
    const [page] = await writeReport(folder);
    return page ?? null;
  } catch (error) {
    const message = `The report could not be written: ${(error as Error).message} Try panthalia report ${folder.runId}.`;
    emit({ type: 'alert', level: 'warn', message, code: 'report.not_written' });
    return null;
  }
}

/** What can be said about the folder is said before minutes of compiling; a failed build takes the empty folder away again. */
async function setUpFor(folder: RunFolder, { say }: SimulateOptions, signal: AbortSignal) {
  try {
    const built = await setUp(say, signal);
    await pointLatestTo(folder);
    return built;
  } catch (error) {
    await rm(folder.path, { recursive: true, force: true });
    throw error;
  }
}

interface Run extends SimulateOptions {
  manifest: RunManifest;
  folder: RunFolder;
  record: RunRecord;
  leash: Leash;
  /** of the token, at the end */
  vaultBalance: bigint | null;
  /** whoever has something in the vault has put something in */
  depositors: Set<Address>;
}

async function train(run: Run, stop: AbortSignal): Promise<void> {
  const { config, manifest, folder, record, leash } = run;
  const emit = record.bus.emitterFor('simulate');
  await writeJson(folder.manifest, manifest);
  await writeJson(folder.config, config);
  emit({
    type: 'run.started',
    manifest,
    options: {
      workers: config.workers,
      accounts: accountsOf(config.workers),
      command: commandOf(config),
      environment: await environment(),
    },
  });
  if (config.opset === 'torch') {
    const message =
      'Opset torch gives the same bits only on machines with the same libtorch and kind of CPU: no stake is safe on it elsewhere.';
    emit({ type: 'alert', level: 'warn', message, code: 'opset.torch' });
  }
  const { stepSeconds, device } = await measurePace({ config, folder, leash, signal: stop });
  await using local = await startLocalChain({
    config,
    deadlines: deadlinesOf(config, { stepSeconds, cores: availableParallelism() }),
    jobId: canonicalId(manifest),
    folder,
    leash,
    emit,
    onLost: record.fail,
    signal: stop,
  });
  await writeDeployment(folder.deployment, local.deployment);
  const closing = new AbortController();
  const watch = watchChain(local, {
    emit: record.bus.emitterFor('chain'),
    onLost: record.fail,
    signal: closing.signal,
  });
  try {
    await using crew = new Crew({ record, leash });
    await playRoles({ config, record, crew, deployment: local.deployment, device }, stop);
  } finally {
    run.vaultBalance = await closeBooks(local, watch, run);
    closing.abort();
  }
}

/** The last facts, and what the vault holds and says of everybody; null when the chain is gone, which everybody has been told
 *  by then. */
async function closeBooks(
  { chain, contracts, deployment }: LocalChain,
  watch: ReturnType<typeof watchChain>,
  { record, depositors }: Pick<Run, 'record' | 'depositors'>,
): Promise<bigint | null> {
  try {
    const { number } = await latestBlock(chain);
    await watch.caughtUp(number, AbortSignal.timeout(closingDeadlineMs));
    const { vault, registry, staking, market, court, challenge, audit } = deployment.contracts;
    const owners = [registry, staking, market, court, challenge, audit, ...depositors];
    const accounts = await Promise.all(
      owners.map(async (account) => ({
        account,
        amount: await contracts.vault.read('balanceOf', [account]),
      })),
    );
    const held = await contracts.token.read('balanceOf', [vault]);
    const burned = await contracts.vault.read('totalBurned', []);
    record.bus.emitterFor('simulate')({ type: 'vault.counted', block: number, accounts, held, burned });
    return held;
  } catch {
    return null;
  }
}

function outcomeOf(error: unknown, signal: AbortSignal): string {
  if (error === undefined) return 'completed';
  return signal.aborted ? 'interrupted' : 'failed';
}

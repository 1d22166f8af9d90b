/** The processes of a run: who is started with what, in which order, and what it means when one of them ends. */

import { type Deployment, writeDeployment } from '../chain/deployment.js';
import type { RunConfig } from '../config/schema.js';
import { PanthaliaError } from '../errors.js';
import { untilAborted } from '../process/untilAborted.js';
import type { Device } from './compute.js';
import type { Crew, Enrolled, Member } from './crew.js';
import { seatsPerWorker } from './deadlines.js';
import { accountIndex, accountsOf } from './localChain.js';
import type { RunRecord } from './runRecord.js';

const crashesForgiven = 3;
const solverStakeTokens = 100;
const readyDeadlineMs = 120_000;

export interface Play {
  config: RunConfig;
  record: RunRecord;
  crew: Crew;
  deployment: Deployment;
  device: Device;
}

/** Starts SOT, workers and master, and resolves when the master has seen the last round through. The master comes last: a task
 *  that is posted before everybody has staked could be drawn for a cheat that nobody is there to audit.
 *  throws what the master or the SOT ended with, process.not_ready, or the signal's reason */
export async function playRoles(play: Play, signal: AbortSignal): Promise<void> {
  const { crew, record, deployment } = play;
  const sot = crew.enrol(sotMember(play));
  void sot.ended.then(({ error }) => crew.isStopping || record.fail(error), record.fail);
  const sotUrl = await inTime('the Source of Truth', sot.ready, signal);
  await writeDeployment(record.folder.deployment, { ...deployment, sotUrl: sotUrl ?? null });

  const workers = startWorkers(play);
  // One that is gone has been told; the others begin without it.
  await inTime('a worker', Promise.allSettled(workers.map(({ ready }) => ready)), signal);
  const master = crew.enrol(masterMember(play));
  const { exit, error } = await untilAborted(master.ended, signal);
  if (exit.code !== 0) throw error;
}

async function inTime<T>(what: string, ready: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = AbortSignal.timeout(readyDeadlineMs);
  try {
    return await untilAborted(ready, AbortSignal.any([signal, late]));
  } catch (error) {
    if (signal.aborted || !late.aborted) throw error;
    throw new PanthaliaError('deadline', `After ${readyDeadlineMs / 1000} s ${what} was still not ready.`, {
      code: 'process.not_ready',
      next: 'the logs in the run folder say what it was doing',
    });
  }
}

/** A worker that is gone costs time, not the run; the last one does. */
function startWorkers(play: Play): Enrolled[] {
  const { config, crew, record } = play;
  const emit = record.bus.emitterFor('simulate');
  let left = config.workers;
  return Array.from({ length: config.workers }, (_, index) => {
    const worker = crew.enrol(workerMember(play, index));
    void worker.ended.then(({ error }) => {
      if (crew.isStopping) return;
      left -= 1;
      const message = `${error.message} The run goes on with ${left} of ${config.workers} workers.`;
      if (left === 0) record.fail(error);
      else emit({ type: 'alert', level: 'warn', message, code: error.code });
    }, record.fail);
    return worker;
  });
}

function sotMember({ config, record: { folder }, device }: Play): Member {
  const flags = ['--deployment', folder.deployment, '--manifest', folder.manifest, '--data-dir', folder.sot];
  const buyer = accountsOf(config.workers).master as string;
  return {
    name: 'sot',
    args: (url) => {
      const port = url === undefined ? String(config.chain.sotPort) : new URL(url).port;
      return ['sot', ...flags, '--buyer', buyer, '--port', port, ...machineFlags(config, device)];
    },
    env: account(accountIndex.sot),
    restarts: crashesForgiven,
  };
}

function masterMember({ record: { folder } }: Play): Member {
  return {
    name: 'master',
    args: () => ['master', '--deployment', folder.deployment, '--manifest', folder.manifest],
    env: account(accountIndex.master),
    restarts: crashesForgiven,
  };
}

function workerMember({ config, record: { folder }, device }: Play, index: number): Member {
  const name = `worker_${index}`;
  const seats = seatsPerWorker(config);
  const stake = String(seats * solverStakeTokens);
  const fault = config.cheats[name];
  return {
    name,
    args: () => [
      ...['worker', '--deployment', folder.deployment, '--stake', stake, '--audit', config.audit],
      ...['--scratch', folder.scratch(name), '--opset', config.opset, ...machineFlags(config, device)],
      // What stops the run ends its chain, too: nobody is there to ask what is owed. Whoever stops one worker sends SIGINT.
      ...['--end-on', 'SIGTERM'],
      ...(fault === undefined ? [] : ['--cheat', fault]),
    ],
    env: account(accountIndex.worker(index)),
    restarts: 0,
  };
}

function machineFlags({ threads }: RunConfig, device: Device): string[] {
  return ['--device', device, '--threads', String(threads)];
}

function account(index: number): Record<string, string> {
  return { PANTHALIA_MNEMONIC_INDEX: String(index) };
}

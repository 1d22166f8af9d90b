/** Asks a short-lived child how fast this machine trains, so that the supervisor itself never loads the engine. */
import type { RunConfig } from '../config/schema.js';
import type { PanthaliaError } from '../errors.js';
import type { Leash } from '../process/leash.js';
import { exitError, startChild } from '../process/supervise.js';
import type { Device } from './compute.js';
import { errorIn, ownEnvironment, program } from './crew.js';
import type { RunFolder } from './runFolder.js';

export interface PaceOptions {
  config: RunConfig;
  folder: RunFolder;
  leash: Leash;
  signal: AbortSignal;
}

/** What `panthalia measure` prints. */
export interface MeasuredPace {
  /** the one `auto` stands for on this machine */
  device: Device;
  stepSeconds: number;
}

/** throws what the child ended with: build/engine.*, config/engine.no_cuda */
export async function measurePace({ config, folder, leash, signal }: PaceOptions): Promise<MeasuredPace> {
  let measured: MeasuredPace | null = null;
  let error: PanthaliaError | null = null;
  const child = await startChild({
    name: 'measure',
    command: process.execPath,
    args: [
      ...[program, 'measure', '--manifest', folder.manifest, '--device', config.device],
      ...['--threads', String(config.threads), '--json'],
    ],
    env: ownEnvironment(),
    leash,
    logPath: folder.log('measure'),
    signal,
    onLine: (line) => {
      error = errorIn(line);
      if (error === null && line.startsWith('{"device"')) measured = JSON.parse(line) as MeasuredPace;
      return true;
    },
  });
  const exit = await child.exited;
  signal.throwIfAborted();
  if (measured === null) throw error ?? exitError(child, exit);
  return measured;
}

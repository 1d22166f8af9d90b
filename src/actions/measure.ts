/** How fast this machine takes one inner step of a run, its state root included. */
import { loadAddon } from '../engine/loadAddon.js';
import { innerConstants, stepScalars } from '../protocol/spec.js';
import type { RunManifest } from '../protocol/task.js';
import { type Device, type Machine, trainerOn } from './compute.js';

const warmupSteps = 2;
const budgetMs = 1_500;
const mostSteps = 50;

/** Seconds of the median step. Runs for about one and a half seconds, or three steps if they take longer. */
export async function measureStep(
  manifest: RunManifest,
  machine: Machine,
  signal: AbortSignal,
): Promise<number> {
  const { batch, seed } = manifest;
  await using trainer = await trainerOn(machine, { ...manifest, inner: innerConstants(manifest) });
  await trainer.initialise(seed);
  const size = batch.rows * batch.tokens;
  const tokens = { inputs: new Int32Array(size), targets: new Int32Array(size) };
  const [scalars] = stepScalars(manifest, 0);
  if (scalars === undefined) throw new Error('a run has at least one inner step');
  const seconds: number[] = [];
  const startedMs = performance.now();
  for (
    let step = 0;
    step < mostSteps && (step <= warmupSteps || performance.now() - startedMs < budgetMs);
    step++
  ) {
    const stepMs = performance.now();
    await trainer.innerStep(tokens, scalars, signal);
    await trainer.stateRoot();
    await trainer.gradientRoot();
    if (step >= warmupSteps) seconds.push((performance.now() - stepMs) / 1000);
  }
  seconds.sort((a, b) => a - b);
  return seconds[Math.floor(seconds.length / 2)] ?? 0;
}

/** `auto`: the first GPU if the engine can use one. */
export async function chooseDevice(wanted: Device | 'auto'): Promise<Device> {
  if (wanted !== 'auto') return wanted;
  const { cudaProblem } = await loadAddon();
  return cudaProblem() === '' ? 'cuda' : 'cpu';
}

/** From the configuration of a run to its manifest: what everybody who repeats it needs, and nothing about where it ran. */
import type { RunConfig } from '../config/schema.js';
import type { Hex32, RunManifest } from '../protocol/task.js';

/** dataset: id of the dataset's manifest. */
export function manifestOf(config: RunConfig, dataset: Hex32): RunManifest {
  const { preset, opset, threads, model, rounds, slotsPerRound, innerSteps, batch, inner, outer } = config;
  return {
    schema: 'panthalia-run/1',
    preset,
    opset,
    threads,
    model,
    dataset,
    seed: `0x${config.seed.toString(16).padStart(64, '0')}`,
    rounds,
    slotsPerRound,
    innerSteps,
    batch,
    inner,
    outer,
    validationWindows: config.validationWindows,
  };
}

/** The arithmetic that roles are given: the engine on one device, and the datasets of this machine. */
import { type Dataset, openDataset } from '../data/dataset.js';
import { createTrainer, outerStep, type Trainer } from '../engine/trainer.js';
import { innerConstants } from '../protocol/spec.js';
import type { Hex32, Opset, RunManifest, TaskSpec } from '../protocol/task.js';
import type { Compute } from '../roles/context.js';
import type { OuterCompute } from '../roles/sot/outerStep.js';

export type Device = 'cpu' | 'cuda';

/** How this machine computes: none of it changes a bit of `canon-f32-v1`. */
export interface Machine {
  device: Device;
  /** of one engine; a task of opset `torch` brings its own number */
  threads: number;
}

/** For workers and disputers. A dataset is opened at its first batch and kept. */
export function computeOn(machine: Machine, opset: Opset): Compute {
  const datasets = new Map<Hex32, Promise<Dataset>>();
  const datasetOf = (id: Hex32) => {
    const opened = datasets.get(id) ?? openDataset(id);
    datasets.set(id, opened);
    return opened;
  };
  return {
    opset,
    createTrainer: (spec) => trainerOn(machine, spec),
    batchAt: async (spec, slot, step) => (await datasetOf(spec.dataset)).trainBatch(spec, slot, step),
  };
}

/** For the SOT. */
export function outerComputeOn(machine: Machine, manifest: RunManifest): OuterCompute {
  return {
    createTrainer: () => trainerOn(machine, { ...manifest, inner: innerConstants(manifest) }),
    outerStep,
  };
}

/** One trainer for the tasks of a run. */
export function trainerOn(
  { device, threads }: Machine,
  spec: Pick<TaskSpec, 'opset' | 'threads' | 'model' | 'batch' | 'inner'>,
): Promise<Trainer> {
  const { opset, model, batch, inner } = spec;
  return createTrainer({ opset, device, threads: spec.threads ?? threads, model, batch, inner });
}

/** The arithmetic that roles are given: the engine on one device, and the datasets of this machine. */
import { type Dataset, openDataset } from '../data/dataset.js';
import { createTrainer, outerStep } from '../engine/trainer.js';
import { innerConstants } from '../protocol/spec.js';
import type { Hex32, RunManifest } from '../protocol/task.js';
import type { Compute } from '../roles/context.js';
import type { OuterCompute } from '../roles/sot/outerStep.js';

export type Device = 'cpu' | 'cuda';

/** For workers and disputers. A dataset is opened at its first batch and kept. */
export function computeOn(device: Device): Compute {
  const datasets = new Map<Hex32, Promise<Dataset>>();
  const datasetOf = (id: Hex32) => {
    const opened = datasets.get(id) ?? openDataset(id);
    datasets.set(id, opened);
    return opened;
  };
  return {
    createTrainer: ({ opset, threads, model, batch, inner }) =>
      createTrainer({ opset, device, threads, model, batch, inner }),
    batchAt: async (spec, slot, step) => (await datasetOf(spec.dataset)).trainBatch(spec, slot, step),
  };
}

/** For the SOT. */
export function outerComputeOn(device: Device, manifest: RunManifest): OuterCompute {
  const { opset, threads, model, batch } = manifest;
  return {
    createTrainer: () =>
      createTrainer({ opset, device, threads, model, batch, inner: innerConstants(manifest) }),
    outerStep,
  };
}

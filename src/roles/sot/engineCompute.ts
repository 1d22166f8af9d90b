/** The engine as the Source of Truth uses it. */
import { createTrainer, outerStep } from '../../engine/trainer.js';
import { taskSpec } from '../../protocol/spec.js';
import type { Hex32, RunManifest } from '../../protocol/task.js';
import type { OuterCompute } from './outerStep.js';

/** device: where validation runs; the outer step itself is CPU code */
export function engineCompute(manifest: RunManifest, jobId: Hex32, device: 'cpu' | 'cuda'): OuterCompute {
  const { opset, threads, model, batch } = manifest;
  // The constants of a task do not depend on its round or base.
  const { inner } = taskSpec(manifest, jobId, 0, { stateRoot: jobId, parameters: jobId });
  return { createTrainer: () => createTrainer({ opset, device, threads, model, batch, inner }), outerStep };
}

/** From the manifest of a run to what the solver of one round computes: a pure function, so anyone can repeat it. */
import type { Fp32Bits, Hex32, InnerConstants, RunManifest, StepScalars, TaskSpec } from './task.js';

/** The state a round starts from. */
export interface RoundBase {
  /** state root of (theta, m = 0, v = 0) */
  stateRoot: Hex32;
  /** blob of theta */
  parameters: Hex32;
}

/** The part of a manifest that the scalars follow from. */
type Schedule = Pick<RunManifest, 'inner' | 'innerSteps'>;

const bitsView = new DataView(new ArrayBuffer(4));

/** The bits of a double rounded to the nearest fp32. */
export function fp32Bits(value: number): Fp32Bits {
  bitsView.setFloat32(0, value);
  return bitsView.getUint32(0);
}

/** Learning rate of inner step k (from 1): linear warm-up over the whole run, then constant. */
export function learningRateAt(manifest: Schedule, round: number, k: number): number {
  const { learningRate, warmupSteps } = manifest.inner;
  const step = round * manifest.innerSteps + k;
  return step >= warmupSteps ? learningRate : (learningRate * step) / warmupSteps;
}

/** One entry per inner step, computed in double and rounded once.
 *  Powers of beta are running products: Math.pow may differ between engines, IEEE multiplication may not.
 *  source: Loshchilov & Hutter 2019, algorithm 2, lines 9 to 12 */
export function stepScalars(manifest: Schedule, round: number): StepScalars[] {
  const { beta1, beta2, weightDecay } = manifest.inner;
  const scalars: StepScalars[] = [];
  let beta1Power = 1;
  let beta2Power = 1;
  for (let k = 1; k <= manifest.innerSteps; k++) {
    beta1Power *= beta1;
    beta2Power *= beta2;
    const learningRate = learningRateAt(manifest, round, k);
    scalars.push({
      stepSize: fp32Bits(learningRate / (1 - beta1Power)),
      secondMomentScale: fp32Bits(1 / Math.sqrt(1 - beta2Power)),
      decay: fp32Bits(1 - learningRate * weightDecay),
    });
  }
  return scalars;
}

/** What does not change from step to step, as fp32 bits. */
export function innerConstants(manifest: Pick<Schedule, 'inner'>): InnerConstants {
  const { beta1, beta2, epsilon, clipNorm } = manifest.inner;
  return {
    beta1: fp32Bits(beta1),
    oneMinusBeta1: fp32Bits(1 - beta1),
    beta2: fp32Bits(beta2),
    oneMinusBeta2: fp32Bits(1 - beta2),
    epsilon: fp32Bits(epsilon),
    clipNorm: fp32Bits(clipNorm),
  };
}

/** What every slot of `round` computes from `base`. jobId: id of the manifest's blob. */
export function taskSpec(manifest: RunManifest, jobId: Hex32, round: number, base: RoundBase): TaskSpec {
  return {
    schema: 'panthalia-task/1',
    jobId,
    round,
    opset: manifest.opset,
    ...(manifest.threads === undefined ? {} : { threads: manifest.threads }),
    model: manifest.model,
    base: { stateRoot: base.stateRoot, parameters: base.parameters },
    dataset: manifest.dataset,
    seed: manifest.seed,
    slotsPerRound: manifest.slotsPerRound,
    innerSteps: manifest.innerSteps,
    batch: manifest.batch,
    inner: innerConstants(manifest),
    scalars: stepScalars(manifest, round),
  };
}

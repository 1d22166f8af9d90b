/** What comes with a task: docs/protocol.md, "Run, round, task", and section 8, written from those pages alone. All in binary64, each
 *  value rounded to binary32 once, at its end. */
import type { InnerConstants, StepScalars } from '../../../src/protocol/task.js';
import { bits } from './binary32.js';

export interface Schedule {
  learningRate: number;
  /** of the run, not of each round */
  warmupSteps: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  clipNorm: number;
}

const roundedBits = (x: number): number => bits(Math.fround(x)) >>> 0;

/** beta^k as a running product from 1 */
function power(beta: number, k: number): number {
  let product = 1;
  for (let i = 0; i < k; i++) product = product * beta;
  return product;
}

export function constantsOf({ beta1, beta2, epsilon, clipNorm }: Schedule): InnerConstants {
  return {
    beta1: roundedBits(beta1),
    oneMinusBeta1: roundedBits(1 - beta1),
    beta2: roundedBits(beta2),
    oneMinusBeta2: roundedBits(1 - beta2),
    epsilon: roundedBits(epsilon),
    clipNorm: roundedBits(clipNorm),
  };
}

/** Of the steps k = 1 .. H of a round. */
export function scalarsOf(schedule: Schedule, H: number, round = 0): StepScalars[] {
  const { learningRate, warmupSteps, beta1, beta2, weightDecay } = schedule;
  return Array.from({ length: H }, (_, i) => {
    const k = i + 1;
    const n = round * H + k;
    const lr = n < warmupSteps ? (learningRate * n) / warmupSteps : learningRate;
    return {
      stepSize: roundedBits(lr / (1 - power(beta1, k))),
      secondMomentScale: roundedBits(1 / Math.sqrt(1 - power(beta2, k))),
      decay: roundedBits(1 - lr * weightDecay),
    };
  });
}

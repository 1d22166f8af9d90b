/** Whole configurations by name. A preset is a function, so that one can be told in terms of another. */
import type { RunConfig } from './schema.js';

/** Byte-level, 4 layers, 4 heads, width 128, block 64: 0.8M parameters; about three minutes on two cores. */
export function tiny(): RunConfig {
  return {
    preset: 'tiny',
    seed: 1337,
    workers: 4,
    seatsPerWorker: null,
    rounds: 5,
    slotsPerRound: 4,
    innerSteps: 40,
    opset: 'canon-f32-v1',
    threads: 1,
    device: 'cpu',
    model: { vocabSize: 256, blockSize: 64, layers: 4, heads: 4, width: 128 },
    batch: { rows: 8, tokens: 64 },
    inner: {
      // nanoGPT's for bytes. With 3e-3 some steps of round 0 had losses of up to 9.8 and gradients of norm 206 (docs/log.md).
      learningRate: 1e-3,
      warmupSteps: 20,
      beta1: 0.9,
      beta2: 0.99,
      epsilon: 1e-8,
      weightDecay: 0.1,
      clipNorm: 1,
    },
    outer: { learningRate: 0.7, momentum: 0.9 },
    validationWindows: 64,
    audit: 'assigned',
    cheats: {},
    chain: { challengeSeconds: null, blockSeconds: 0.5, rpcPort: 0, sotPort: 0 },
  };
}

/** The whole system in as little time as it can take: for tests. */
export function smoke(): RunConfig {
  const base = tiny();
  return {
    ...base,
    preset: 'smoke',
    rounds: 2,
    innerSteps: 4,
    model: { vocabSize: 256, blockSize: 16, layers: 2, heads: 2, width: 32 },
    batch: { rows: 4, tokens: 16 },
    inner: { ...base.inner, learningRate: 3e-3, warmupSteps: 2 },
    validationWindows: 8,
  };
}

export const presets: Readonly<Record<string, () => RunConfig>> = { tiny, smoke };

/** Arithmetic that takes no time: theta is as many bytes as the model says, and a step hashes it with what it consumed. The same
 *  properties as the engine where the protocol looks: deterministic, every input matters, (theta, 0, 0) is a base. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Batch, Trainer } from '../../src/engine/trainer.js';
import { canonicalId } from '../../src/protocol/canonicalJson.js';
import { sha256Hex } from '../../src/protocol/requestAuth.js';
import { taskSpec } from '../../src/protocol/spec.js';
import { parameterCount } from '../../src/protocol/stateTree.js';
import type { Hex32, ModelShape, RunManifest, StepScalars } from '../../src/protocol/task.js';
import type { Compute } from '../../src/roles/context.js';
import type { OuterCompute } from '../../src/roles/sot/outerStep.js';

const model: ModelShape = { vocabSize: 256, blockSize: 2, layers: 1, heads: 1, width: 1 };

export function toyManifest(change: Partial<RunManifest> = {}): RunManifest {
  return {
    schema: 'panthalia-run/1',
    preset: 'toy',
    opset: 'canon-f32-v1',
    model,
    dataset: sha256Hex('toy dataset'),
    seed: sha256Hex('toy seed'),
    rounds: 1,
    slotsPerRound: 2,
    innerSteps: 4,
    batch: { rows: 1, tokens: 2 },
    inner: {
      learningRate: 0.002,
      warmupSteps: 2,
      beta1: 0.9,
      beta2: 0.99,
      epsilon: 1e-8,
      weightDecay: 0.1,
      clipNorm: 1,
    },
    outer: { learningRate: 0.7, momentum: 0.9 },
    validationWindows: 2,
    ...change,
  };
}

/** Bytes that follow from what went in, as many as the model has. */
function expand(...parts: (string | Uint8Array)[]): Buffer {
  const seed = createHash('sha256');
  for (const part of parts) seed.update(part);
  const bytes = createHash('shake256', { outputLength: 4 * parameterCount(model) });
  return bytes.update(seed.digest()).digest();
}

class ToyTrainer implements Trainer {
  readonly parameterCount = parameterCount(model);
  #theta: Uint8Array = new Uint8Array();
  #step = 0;
  readonly #stepMs: number;

  constructor(stepMs = 0) {
    this.#stepMs = stepMs;
  }

  async initialise(seed: Hex32): Promise<void> {
    this.#theta = expand('init', seed);
    this.#step = 0;
  }

  async loadParameters(path: string): Promise<void> {
    this.#theta = await readFile(path);
    this.#step = 0;
  }

  async saveParameters(path: string) {
    await writeFile(path, this.#theta);
    return { sha256: sha256Hex(this.#theta), sizeBytes: this.#theta.length };
  }

  /** Moments are no part of the toy: a state is theta three times, so that its size is the engine's. */
  async loadState(path: string, step: number): Promise<void> {
    const state = await readFile(path);
    this.#theta = state.subarray(0, state.length / 3);
    this.#step = step;
  }

  async saveState(path: string) {
    const state = Buffer.concat([this.#theta, this.#theta, this.#theta]);
    await writeFile(path, state);
    return { sha256: sha256Hex(state), sizeBytes: state.length };
  }

  async innerStep(batch: Batch, scalars: StepScalars, signal?: AbortSignal) {
    await delay(this.#stepMs, undefined, signal === undefined ? {} : { signal });
    const tokens = [...batch.inputs, ...batch.targets].join(' ');
    this.#theta = expand(this.#theta, tokens, canonicalId(scalars));
    this.#step += 1;
    return { loss: 5 / this.#step, gradientNorm: 1, milliseconds: this.#stepMs };
  }

  async evaluate(): Promise<number> {
    return (this.#theta[0] ?? 0) / 256;
  }

  async stateRoot(): Promise<Hex32> {
    return toyStateRoot(this.#theta, this.#step);
  }

  async gradientRoot(): Promise<Hex32> {
    return sha256Hex(this.#theta);
  }

  async dispose(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

function toyStateRoot(theta: Uint8Array, step: number): Hex32 {
  return sha256Hex(Buffer.concat([theta, Buffer.from(` at ${step}`)]));
}

/** stepMs: how long an inner step takes */
export function toyCompute({ stepMs = 0 } = {}): Compute {
  return {
    opset: 'canon-f32-v1',
    createTrainer: async () => new ToyTrainer(stepMs),
    batchAt: async ({ seed, round }, slot, step) => {
      const bytes = createHash('sha256').update(`${seed} ${round} ${slot} ${step}`).digest();
      return {
        inputs: Int32Array.from(bytes.subarray(0, 2)),
        targets: Int32Array.from(bytes.subarray(1, 3)),
      };
    },
  };
}

export const toyOuterCompute: OuterCompute = {
  createTrainer: async () => new ToyTrainer(),
  outerStep: async ({ base, results, outParameters, outMomentum }) => {
    const files = await Promise.all([base, ...results].map((path) => readFile(path)));
    const theta = expand('outer', ...files);
    await writeFile(outParameters, theta);
    await writeFile(outMomentum, theta);
    const file = { sha256: sha256Hex(theta), sizeBytes: theta.length };
    return { parameters: file, momentum: file, stateRoot: toyStateRoot(theta, 0) };
  },
};

/** The parameters after all rounds, computed in one place without a market: what every run of the manifest must give. */
export async function honestParameters(manifest: RunManifest, folder: string): Promise<Hex32> {
  const compute = toyCompute();
  const trainer = new ToyTrainer();
  await trainer.initialise(manifest.seed);
  const base = `${folder}/honest.base`;
  let { sha256 } = await trainer.saveParameters(base);
  for (let round = 0; round < manifest.rounds; round++) {
    const root = { stateRoot: toyStateRoot(await readFile(base), 0), parameters: sha256 };
    const spec = taskSpec(manifest, canonicalId(manifest), round, root);
    const results: string[] = [];
    for (let slot = 0; slot < manifest.slotsPerRound; slot++) {
      const worker = new ToyTrainer();
      await worker.loadParameters(base);
      for (const [step, scalars] of spec.scalars.entries()) {
        await worker.innerStep(await compute.batchAt(spec, slot, step), scalars);
      }
      results.push(`${folder}/honest.${slot}`);
      await worker.saveParameters(results[slot] as string);
    }
    const { outerStep } = toyOuterCompute;
    const out = { outParameters: `${folder}/honest.next`, outMomentum: `${folder}/honest.momentum` };
    const rest = { model, momentum: null, learningRate: 0, outerMomentum: 0 };
    ({ sha256 } = (await outerStep({ base, results, ...out, ...rest })).parameters);
    await writeFile(base, await readFile(out.outParameters));
  }
  return sha256;
}

/** From one model version to the next: the outer step over results that are accepted, present and whole. */
import { rm } from 'node:fs/promises';
import type { BlobStore } from '../../data/blobStore.js';
import type { Dataset } from '../../data/dataset.js';
import type { ModelVersion } from '../../data/versions.js';
import type { OuterStepOptions, OuterStepResult, Trainer } from '../../engine/trainer.js';
import { PanthaliaError } from '../../errors.js';
import type { Emit } from '../../events/types.js';
import type { Hex32, RunManifest } from '../../protocol/task.js';
import type { Contribution } from './market.js';

/** The arithmetic the Source of Truth needs. The real one is the engine; a test passes a toy. */
export interface OuterCompute {
  /** planned for the manifest's model and batch shape */
  createTrainer(): Promise<
    Pick<
      Trainer,
      | 'parameterCount'
      | 'initialise'
      | 'loadParameters'
      | 'saveParameters'
      | 'evaluate'
      | 'stateRoot'
      | 'dispose'
    >
  >;
  outerStep(options: OuterStepOptions): Promise<OuterStepResult>;
}

type OuterTrainer = Awaited<ReturnType<OuterCompute['createTrainer']>>;

export interface OuterStepContext {
  manifest: RunManifest;
  jobId: Hex32;
  store: BlobStore;
  dataset: Pick<Dataset, 'validationBatches'>;
  compute: OuterCompute;
  emit: Emit;
}

/** Version 0: the model as the manifest's seed initialises it. */
export async function initialVersion(context: OuterStepContext, signal: AbortSignal): Promise<ModelVersion> {
  const { store, jobId, manifest } = context;
  return withTrainer(context, async (trainer) => {
    await trainer.initialise(manifest.seed);
    const path = store.temporaryPath();
    await trainer.saveParameters(path);
    const stateRoot = await trainer.stateRoot();
    const validationLoss = await validate(context, trainer, signal);
    const { blob: parameters } = await store.adoptFile(path);
    return {
      number: 0,
      jobId,
      round: null,
      stateRoot,
      parameters,
      momentum: null,
      parent: null,
      contributions: [],
      validationLoss,
    };
  });
}

/** The version after `base`. A pure function of base and contributions: done twice, for example after a kill -9 between the
 *  files and the journal, it gives the same blobs.
 *  throws check/sot.wrong_result_size; waits for blobs that are not there yet */
export async function nextVersion(
  context: OuterStepContext,
  base: ModelVersion,
  contributions: Contribution[],
  signal: AbortSignal,
): Promise<ModelVersion> {
  const { store, jobId, manifest } = context;
  const parameterBytes = (await store.sizeOf(base.parameters)) ?? 0;
  for (const contribution of contributions) await awaitResult(context, contribution, parameterBytes, signal);
  const outParameters = store.temporaryPath();
  const outMomentum = store.temporaryPath();
  try {
    const stepped = await context.compute.outerStep({
      model: manifest.model,
      base: store.pathOf(base.parameters),
      momentum: base.momentum && store.pathOf(base.momentum),
      results: contributions.map(({ resultRoot }) => store.pathOf(resultRoot)),
      learningRate: manifest.outer.learningRate,
      outerMomentum: manifest.outer.momentum,
      outParameters,
      outMomentum,
    });
    const validationLoss = await withTrainer(context, async (trainer) => {
      await trainer.loadParameters(outParameters);
      return validate(context, trainer, signal);
    });
    const { blob: parameters } = await store.adoptFile(outParameters);
    const { blob: momentum } = await store.adoptFile(outMomentum);
    return {
      number: base.number + 1,
      jobId,
      round: base.number,
      stateRoot: stepped.stateRoot,
      parameters,
      momentum,
      parent: base.stateRoot,
      contributions,
      validationLoss,
    };
  } finally {
    for (const path of [outParameters, outMomentum]) await rm(path, { force: true });
  }
}

/** A result the chain accepted is never left out; the round waits until someone brings it. */
async function awaitResult(
  { store, emit }: OuterStepContext,
  { slot, taskId, resultRoot }: Contribution,
  expectedBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if ((await store.sizeOf(resultRoot)) === undefined) {
    const message = `The accepted result ${resultRoot} of slot ${slot} is not stored here; the round waits for it.`;
    emit({ type: 'alert', level: 'warn', code: 'sot.result_missing', message });
    await store.waitFor(resultRoot, signal);
  }
  const sizeBytes = await store.sizeOf(resultRoot);
  if (sizeBytes === expectedBytes) return;
  throw new PanthaliaError(
    'check',
    `The accepted result of task ${taskId} must have ${expectedBytes} bytes; blob ${resultRoot} has ${sizeBytes}.`,
    { code: 'sot.wrong_result_size', details: { taskId, slot, resultRoot, sizeBytes, expectedBytes } },
  );
}

/** Mean loss over the held-out windows, in nats per token. */
async function validate(
  { manifest, dataset }: OuterStepContext,
  trainer: OuterTrainer,
  signal: AbortSignal,
): Promise<number> {
  const { rows, tokens } = manifest.batch;
  const batches = dataset.validationBatches(manifest.validationWindows, rows, tokens);
  let sum = 0;
  for (const batch of batches) sum += await trainer.evaluate(batch, signal);
  return sum / batches.length;
}

async function withTrainer<T>(
  { compute }: OuterStepContext,
  use: (trainer: OuterTrainer) => Promise<T>,
): Promise<T> {
  const trainer = await compute.createTrainer();
  try {
    return await use(trainer);
  } finally {
    await trainer.dispose();
  }
}

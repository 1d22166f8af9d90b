/** What a run can be told. The only place where a setting is named; units stand in the keys. */
import { z } from 'zod';
import { auditPolicies } from '../protocol/unaskedAudits.js';

const count = (least: number, most: number) => z.int().min(least).max(most);
const port = z.int().min(0).max(65_535);
const share = z.number().min(0).lt(1);

const modelSchema = z.strictObject({
  vocabSize: count(2, 65_536),
  blockSize: count(1, 65_536),
  layers: count(1, 256),
  heads: count(1, 256),
  width: count(1, 65_536),
  /** nanoGPT's erf form when absent, or GPT-2's tanh */
  gelu: z.enum(['erf', 'tanh']).exactOptional(),
});

const innerSchema = z.strictObject({
  learningRate: z.number().positive(),
  /** inner steps of linear warm-up, counted over the whole run */
  warmupSteps: count(0, 1_000_000),
  beta1: share,
  beta2: share,
  epsilon: z.number().positive(),
  weightDecay: z.number().min(0),
  /** L2 norm to which larger gradients are scaled down */
  clipNorm: z.number().positive(),
});

const chainSchema = z.strictObject({
  /** null: derived from the measured speed of one inner step */
  challengeSeconds: z.number().positive().max(86_400).nullable(),
  blockSeconds: z.number().min(0.1).max(60),
  /** 0 takes a free port */
  rpcPort: port,
  sotPort: port,
});

export const runConfigSchema = z
  .strictObject({
    preset: z.string().min(1),
    /** initialisation and batches derive from it */
    seed: count(0, Number.MAX_SAFE_INTEGER),
    workers: count(1, 30),
    /** solver seats that each worker stakes, and as many verifier seats; null: just enough for the tasks of a round, so that
     *  every seat has one and nobody's turn depends on luck */
    seatsPerWorker: count(1, 100).nullable(),
    rounds: count(1, 1_000_000),
    slotsPerRound: count(1, 64),
    /** H, of one task */
    innerSteps: count(1, 100_000),
    opset: z.enum(['canon-f32-v1', 'torch']),
    /** of every engine; part of the manifest with opset `torch`, whose bits depend on them */
    threads: count(1, 256),
    device: z.enum(['cpu', 'cuda', 'auto']),
    model: modelSchema,
    batch: z.strictObject({ rows: count(1, 4096), tokens: count(1, 65_536) }),
    inner: innerSchema,
    outer: z.strictObject({ learningRate: z.number().positive(), momentum: share }),
    /** held-out windows evaluated after every outer step */
    validationWindows: count(1, 100_000),
    /** which submitted tasks the workers re-execute while they have nothing better to do */
    audit: z.enum(auditPolicies),
    /** worker_2 -> zero-delta; the fault's name is checked by the worker that has it */
    cheats: z.record(z.string().regex(/^worker_\d+$/), z.string().min(1)),
    chain: chainSchema,
  })
  .check(({ value, issues }) => {
    const reject = (path: string[], message: string) => {
      issues.push({ code: 'custom', input: value, path, message });
    };
    const { model, batch, workers, validationWindows } = value;
    if (model.width % model.heads !== 0) {
      reject(['model', 'width'], `expected a multiple of ${model.heads} heads, received ${model.width}`);
    }
    if (batch.tokens > model.blockSize) {
      reject(
        ['batch', 'tokens'],
        `expected at most the block size ${model.blockSize}, received ${batch.tokens}`,
      );
    }
    if (validationWindows % batch.rows !== 0) {
      reject(
        ['validationWindows'],
        `expected a multiple of ${batch.rows} rows, received ${validationWindows}`,
      );
    }
    for (const worker of Object.keys(value.cheats)) {
      if (Number(worker.slice('worker_'.length)) >= workers) {
        reject(['cheats', worker], `there is no such worker: the run has worker_0 to worker_${workers - 1}`);
      }
    }
  });

export type RunConfig = z.infer<typeof runConfigSchema>;

/** A part of a configuration: a file, or the flags of a command line. */
export type PartialConfig = {
  [K in keyof RunConfig]?: RunConfig[K] extends object ? Partial<RunConfig[K]> : RunConfig[K];
};

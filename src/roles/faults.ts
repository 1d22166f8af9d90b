/** Every misbehaviour, as a wrapper around an honest worker. Nothing else in the code knows that faults exist. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trainer } from '../engine/trainer.js';
import { PanthaliaError } from '../errors.js';
import type { Hex32, StepScalars, Submission, TaskSpec } from '../protocol/task.js';
import { traceLeaf, traceRoot } from '../protocol/trace.js';
import type { Attention } from '../protocol/vote.js';
import type { Behaviour } from './behaviour.js';
import type { CheckFinding } from './checker.js';
import type { Compute } from './context.js';
import type { Job } from './job.js';
import { leavesBlob } from './replay.js';
import type { Judge } from './verifier.js';

export type Fault = (honest: Behaviour) => Behaviour;

/** By the name that `--cheat worker_2:NAME` takes. */
export const faults: Readonly<Record<string, Fault>> = {
  /** claims the base parameters as result, without computing anything */
  'zero-delta': (honest) => ({
    ...honest,
    ...{ defends: false, solve: injected('zero-delta', claimBase), answer: async () => null },
  }),

  /** computes all, with a learning rate off by one unit in the last place from the middle on */
  noise: (honest) => cheatingSolver(honest, 'noise', (job) => withCompute(job, noisyCompute(job))),

  /** trains on other batches than the task's */
  'wrong-seed': (honest) =>
    cheatingSolver(honest, 'wrong-seed', (job) => withCompute(job, otherBatches(job.context.compute))),

  /** an honest trace, and a result that is not its last state */
  'wrong-result': (honest) =>
    cheatingSolver(honest, 'wrong-result', (job) => withCompute(job, alteredResult(job.context.compute))),

  /** submits a right result that nobody can fetch */
  withhold: (honest) => cheatingSolver(honest, 'withhold', withoutUpload),

  /** a wrong result, and a trace that nobody can fetch to say where */
  'hidden-trace': (honest) =>
    cheatingSolver(honest, 'hidden-trace', (job) =>
      withoutLeaves(withCompute(job, otherBatches(job.context.compute))),
    ),

  /** a wrong result whose trace nobody can fetch, and which is shown when somebody has paid to see it */
  'late-trace': (honest) =>
    cheatingSolver(honest, 'late-trace', (job) =>
      withoutLeaves(withCompute(job, otherBatches(job.context.compute)), job.context.memory),
    ),

  /** takes the task and never submits */
  silent: (honest) => ({ ...honest, defends: false, solve: injected('silent', async () => null) }),

  /** the process dies in the middle of a task */
  crash: (honest) =>
    cheatingSolver(honest, 'crash', (job) => withCompute(job, deadlyCompute(job.context.compute))),

  /** solves honestly, and tells nobody who is drawn to ask what the steps showed */
  mute: (honest) => ({ ...honest, answer: injected('mute', async () => null) }),

  /** is drawn to check, and does nothing */
  'absent-checker': (honest) => ({ ...honest, check: injected('absent-checker', async () => null) }),

  /** says that it has looked, and has not */
  'lazy-checker': (honest) => ({ ...honest, defends: false, check: injected('lazy-checker', guess) }),

  /** takes the seat and never votes */
  'absent-verifier': (honest) => ({ ...honest, judge: injected('absent-verifier', async () => null) }),

  /** votes the opposite of what it finds */
  'lying-verifier': (honest) => ({ ...honest, judge: injected('lying-verifier', opposite(honest.judge)) }),
};

/** throws usage/fault.unknown */
export function checkFault(name: string): Fault {
  const fault = Object.hasOwn(faults, name) ? faults[name] : undefined;
  if (fault !== undefined) return fault;
  const known = Object.keys(faults).join(', ');
  throw new PanthaliaError('usage', `There is no fault "${name}"; there are ${known}.`, {
    code: 'fault.unknown',
    details: { received: name, known: Object.keys(faults) },
    next: 'panthalia simulate --cheat worker_2:zero-delta',
  });
}

function injected<Args extends [Job, ...unknown[]], T>(
  fault: string,
  act: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  return (...args) => {
    const [job] = args;
    job.context.emit({ type: 'fault.injected', fault, taskId: job.task.taskId });
    return act(...args);
  };
}

/** Honest, except for what `twist` does to the job. */
function cheatingSolver(honest: Behaviour, name: string, twist: (job: Job) => Job): Behaviour {
  return { ...honest, defends: false, solve: injected(name, (job) => honest.solve(twist(job))) };
}

async function claimBase({ context, task, inputs, signal }: Job): Promise<Submission> {
  const { taskId } = task;
  const spec = await inputs.spec(task, signal);
  const { opset, base } = spec;
  const zeros: Hex32 = `0x${'00'.repeat(32)}`;
  const claims = spec.scalars.map((scalars, i) => ({
    step: i + 1,
    transition: { batchDigest: zeros, scalars, gradientRoot: zeros, loss: 0, gradientNorm: 0 },
  }));
  const leaves = [{ step: 0, transition: null }, ...claims].map((claim) =>
    traceLeaf({ taskId, opset, stateRoot: base.stateRoot, ...claim }),
  );
  const { blob } = await context.sot.putBytes(leavesBlob(leaves), { signal });
  return { traceRoot: traceRoot(leaves), resultRoot: base.parameters, leavesBlob: blob };
}

function opposite(judge: Judge): Judge {
  return async (job, kase) => {
    const judgement = await judge(job, kase);
    if (judgement === null) return null;
    return { ...judgement, seen: invented(), verdict: judgement.verdict === 'valid' ? 'invalid' : 'valid' };
  };
}

async function guess({ task }: Job): Promise<CheckFinding> {
  const scalars = { stepSize: 0, secondMomentScale: 0, decay: 0 };
  const seen = Array.from({ length: task.terms.innerSteps + 1 }, () => ({
    ...{ ...invented(), batchDigest: task.taskId, scalars },
  }));
  const made = {
    ...{ seen, leaves: seen.map(({ stateRoot }) => stateRoot), resultRoot: task.taskId },
  };
  return { made, firstWrongStep: null, leaves: null, steps: 0, computeSeconds: 0 };
}

/** What a step could have shown, for all that whoever has not made it knows. */
function invented(): Attention {
  const root = (): Hex32 => `0x${randomBytes(32).toString('hex')}`;
  return { stateRoot: root(), gradientRoot: root(), loss: 1, gradientNorm: 1 };
}

function withCompute(job: Job, compute: Compute): Job {
  return { ...job, context: { ...job.context, compute } };
}

function withoutUpload(job: Job): Job {
  const unsent = withoutLeaves(job);
  const { sot } = unsent.context;
  const putFile: typeof sot.putFile = async () => ({ blob: `0x${'00'.repeat(32)}`, sizeBytes: 0 });
  return { ...unsent, context: { ...unsent.context, sot: { ...sot, putFile } } };
}

/** memory: where it remembers them itself; default: where it will not look for them */
function withoutLeaves(job: Job, memory = join(job.context.memory, 'hidden')): Job {
  const { sot } = job.context;
  const putBytes: typeof sot.putBytes = async (bytes) => ({
    blob: `0x${createHash('sha256').update(bytes).digest('hex')}`,
    sizeBytes: bytes.length,
  });
  return { ...job, context: { ...job.context, memory, sot: { ...sot, putBytes } } };
}

function noisyCompute({ context: { compute } }: Job): Compute {
  const nudged = (scalars: StepScalars): StepScalars => ({ ...scalars, stepSize: scalars.stepSize ^ 1 });
  return {
    ...compute,
    createTrainer: async (spec) => {
      let step = 0;
      const trainer = await compute.createTrainer(spec);
      return altered(trainer, {
        innerStep: (batch, scalars, signal) => {
          step += 1;
          return trainer.innerStep(batch, step > spec.innerSteps / 2 ? nudged(scalars) : scalars, signal);
        },
      });
    },
  };
}

function otherBatches(compute: Compute): Compute {
  const other = (seed: Hex32): Hex32 => `0x${createHash('sha256').update(seed).digest('hex')}`;
  return {
    ...compute,
    batchAt: (spec, slot, step) => compute.batchAt({ ...spec, seed: other(spec.seed) }, slot, step),
  };
}

function alteredResult(compute: Compute): Compute {
  return {
    ...compute,
    createTrainer: async (spec) => {
      const trainer = await compute.createTrainer(spec);
      return altered(trainer, {
        saveParameters: async (path) => {
          await trainer.saveParameters(path);
          const bytes = await readFile(path);
          // The lowest bit of the first parameter's mantissa: as small as a lie can be.
          bytes[0] = (bytes[0] ?? 0) ^ 1;
          await writeFile(path, bytes);
          const sha256: Hex32 = `0x${createHash('sha256').update(bytes).digest('hex')}`;
          return { sha256, sizeBytes: bytes.length };
        },
      });
    },
  };
}

function deadlyCompute(compute: Compute): Compute {
  return {
    ...compute,
    batchAt: (spec: TaskSpec, slot, step) => {
      if (step >= spec.innerSteps / 2) process.kill(process.pid, 'SIGKILL');
      return compute.batchAt(spec, slot, step);
    },
  };
}

/** A trainer with some methods replaced; a class instance with private fields can not be spread. */
function altered(trainer: Trainer, changes: Partial<Trainer>): Trainer {
  return {
    parameterCount: trainer.parameterCount,
    initialise: (seed) => trainer.initialise(seed),
    loadParameters: (path) => trainer.loadParameters(path),
    saveParameters: (path) => trainer.saveParameters(path),
    loadState: (path, step) => trainer.loadState(path, step),
    saveState: (path) => trainer.saveState(path),
    innerStep: (batch, scalars, signal) => trainer.innerStep(batch, scalars, signal),
    evaluate: (batch, signal) => trainer.evaluate(batch, signal),
    stateRoot: () => trainer.stateRoot(),
    gradientRoot: () => trainer.gradientRoot(),
    dispose: () => trainer.dispose(),
    [Symbol.asyncDispose]: () => trainer.dispose(),
    ...changes,
  };
}

/** Specs that a buyer can post and nobody can compute, with the real engine: whoever is drawn for one of them declines or votes
 *  unavailable, and accuses nobody. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trainerOn } from '../../src/actions/compute.js';
import { createBlobClient } from '../../src/data/blobClient.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { canonicalId, canonicalJson } from '../../src/protocol/canonicalJson.js';
import { sha256Hex } from '../../src/protocol/requestAuth.js';
import { taskSpec } from '../../src/protocol/spec.js';
import type { Hex32, TaskSpec } from '../../src/protocol/task.js';
import { traceRoot } from '../../src/protocol/trace.js';
import { auditTask } from '../../src/roles/auditor.js';
import { checkTask } from '../../src/roles/checker.js';
import type { Compute } from '../../src/roles/context.js';
import { createInputs } from '../../src/roles/inputs.js';
import type { Job } from '../../src/roles/job.js';
import { leavesBlob } from '../../src/roles/replay.js';
import { judgeTask } from '../../src/roles/verifier.js';
import { seed } from '../helpers/engine.js';
import { alice, History, pinned } from '../helpers/facts.js';
import { type SotFixture, signerOf, startSot } from '../helpers/sotServer.js';
import { toyManifest } from '../helpers/toyCompute.js';

const manifest = toyManifest({
  model: { vocabSize: 256, blockSize: 2, layers: 1, heads: 2, width: 4 },
  innerSteps: 2,
});
const { signal } = new AbortController();
let sot: SotFixture;
let folder: string;
let base: { stateRoot: Hex32; parameters: Hex32 };

/** The real arithmetic on toy batches: the datasets of this machine have larger tokens. */
const compute: Compute = {
  opset: 'canon-f32-v1',
  createTrainer: (spec) => trainerOn({ device: 'cpu', threads: 1 }, spec),
  batchAt: async ({ batch, model }) => {
    const tokens = new Int32Array(batch.rows * batch.tokens).fill(Math.min(model.vocabSize, 200) - 1);
    return { inputs: tokens, targets: tokens };
  },
};

beforeAll(async () => {
  sot = await startSot();
  folder = await mkdtemp(join(tmpdir(), 'panthalia-unsolvable-'));
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const path = join(folder, 'base');
  await using trainer = await compute.createTrainer(specOf());
  await trainer.initialise(seed);
  await trainer.saveParameters(path);
  base = { stateRoot: await trainer.stateRoot(), parameters: (await client.putFile(path)).blob };
});
afterAll(async () => {
  await sot?.stop();
  await rm(folder, { recursive: true, force: true });
});

function specOf(): TaskSpec {
  const none = { stateRoot: sha256Hex('none'), parameters: sha256Hex('none') };
  return taskSpec(manifest, canonicalId(manifest), 0, base ?? none);
}

/** A task of this spec whose solver claims leaves that it can not have computed. */
async function claimed(change: (spec: TaskSpec) => TaskSpec): Promise<{ job: Job; leaves: Hex32[] }> {
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const spec = change(specOf());
  const { blob: specHash } = await client.putBytes(Buffer.from(canonicalJson(spec)));
  const history = new History();
  const { jobId, innerSteps } = spec;
  const [taskId] = history.post([0], { jobId, specHash, baseRoot: base.stateRoot, innerSteps }) as [Hex32];
  const task = history.assign(taskId, alice).view.tasks.get(taskId);
  if (task === undefined) throw new Error('it was posted');
  const leaves = Array.from({ length: innerSteps + 1 }, (_, k) => sha256Hex(`made up ${k}`));
  const { blob } = await client.putBytes(leavesBlob(leaves));
  const submission = { traceRoot: traceRoot(leaves), resultRoot: sha256Hex('made up'), leavesBlob: blob };
  const context = {
    ...{ sot: client, emit: (_: PanthaliaEvent) => {}, compute, scratch: folder },
    memory: join(folder, crypto.randomUUID()),
  };
  const inputs = createInputs({ sot: client, folder, opset: compute.opset });
  return { job: { context, task: { ...task, submission }, inputs, turn: (call) => call(), signal }, leaves };
}

const unsolvable: [string, (spec: TaskSpec) => TaskSpec][] = [
  [
    'a step size that is NaN',
    (spec) => ({ ...spec, scalars: spec.scalars.map((one) => ({ ...one, stepSize: 0x7fc00000 })) }),
  ],
  ['an infinite epsilon', (spec) => ({ ...spec, inner: { ...spec.inner, epsilon: 0x7f800000 } })],
  ['a width that its heads do not divide', (spec) => ({ ...spec, model: { ...spec.model, heads: 3 } })],
  ['batches longer than its blocks', (spec) => ({ ...spec, batch: { rows: 1, tokens: 3 } })],
  ['a model of another size than its base', (spec) => ({ ...spec, model: { ...spec.model, layers: 2 } })],
];

test.each(unsolvable)(
  'of a task with %s nobody is accused: its checker declines, its verifiers have nothing to judge by',
  async (_, change) => {
    const { job, leaves } = await claimed(change);
    const { taskId } = job.task;
    expect(await checkTask(job, [0, 1])).toMatchObject({ made: null, firstWrongStep: null });
    await expect(auditTask(job)).rejects.toMatchObject({
      code: expect.stringMatching(/^(spec|engine|sot)\./),
    });
    const [before, next] = leaves as [Hex32, Hex32];
    const kase = {
      ...{ caseId: sha256Hex('case'), taskId, disputer: alice, openedAt: 0, step: 0 },
      ...{ ...pinned, before, next, stateBlob: null },
      ...{ rounds: [], settled: false, verdict: null, burned: 0n, moot: false },
    };
    expect(await judgeTask(job, kase)).toMatchObject({ verdict: 'unavailable', seen: null });
  },
);

test('of a task whose numbers can be computed with, a made-up result is wrong from its first step', async () => {
  const { job } = await claimed((spec) => spec);
  expect(await checkTask(job, [0])).toMatchObject({ firstWrongStep: 0 });
  expect(await auditTask(job)).toMatchObject({ firstWrongStep: 0 });
});

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalId } from '../../../src/protocol/canonicalJson.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { taskSpec } from '../../../src/protocol/spec.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { type Replay, type ReplayOptions, replayTask } from '../../../src/roles/replay.js';
import { makeStateBlob, replayStep, stateBlobSize } from '../../../src/roles/stepReplay.js';
import { toyCompute, toyManifest } from '../../helpers/toyCompute.js';

let folder: string;
let options: ReplayOptions;
let honest: Replay;
const manifest = toyManifest({ innerSteps: 5 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-step-'));
  const compute = toyCompute();
  const trainer = await compute.createTrainer({} as never);
  await trainer.initialise(manifest.seed);
  const base = join(folder, 'base');
  const { sha256: parameters } = await trainer.saveParameters(base);
  const spec = taskSpec(manifest, canonicalId(manifest), 0, {
    stateRoot: await trainer.stateRoot(),
    parameters,
  });
  const { signal } = new AbortController();
  const turn: ReplayOptions['turn'] = (call) => call();
  options = {
    ...{ taskId: sha256Hex('task'), slot: 1, spec, base, scratch: folder },
    ...{ compute, turn, signal },
  };
  honest = await replayTask(options);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const leaf = (k: number) => honest.leaves[k] as Hex32;

test.each([1, 3, 4])(
  'from the published state %i, one step gives the leaf that the whole task has',
  async (k) => {
    const file = await makeStateBlob(options, k);
    expect((await readFile(file)).length).toBe(stateBlobSize(options.spec));
    const made = await replayStep(options, k, { state: file, before: leaf(k) });
    expect(made).toMatchObject({ before: leaf(k), after: leaf(k + 1), steps: 1 });
    expect(made.resultRoot).toBe(k + 1 === 5 ? honest.outcome?.resultRoot : null);
  },
);

test('without a state everything up to the step is made again', async () => {
  const made = await replayStep(options, 2, { base: options.base });
  expect(made).toMatchObject({ before: leaf(2), after: leaf(3), steps: 3, resultRoot: null });
  expect(await replayStep(options, 0, { base: options.base })).toMatchObject({ after: leaf(1), steps: 1 });
});

test('a state that is not the one in the trace is refused, whatever was changed in it', async () => {
  const file = await makeStateBlob(options, 2);
  const good = await readFile(file);
  for (const at of [0, good.length - 84, good.length - 1]) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    await writeFile(file, bad);
    await expect(replayStep(options, 2, { state: file, before: leaf(2) })).rejects.toMatchObject({
      code: 'state.wrong',
    });
  }
  await writeFile(file, good.subarray(1));
  await expect(replayStep(options, 2, { state: file, before: leaf(2) })).rejects.toMatchObject({
    code: 'state.wrong',
    details: { expected: good.length, received: good.length - 1 },
  });
  await writeFile(file, good);
  await expect(replayStep(options, 3, { state: file, before: leaf(3) })).rejects.toMatchObject({
    code: 'state.wrong',
  });
});

test('nothing but what the caller asked for is left in the folder', async () => {
  await replayStep(options, 4, { base: options.base });
  expect((await readdir(folder)).filter((name) => name.endsWith('.theta'))).toHaveLength(1);
});

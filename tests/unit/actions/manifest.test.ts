import { expect, test } from 'vitest';
import { manifestOf } from '../../../src/actions/manifest.js';
import { smoke } from '../../../src/config/presets.js';
import { canonicalId } from '../../../src/protocol/canonicalJson.js';
import { taskSpec } from '../../../src/protocol/spec.js';
import type { Hex32 } from '../../../src/protocol/task.js';

const dataset: Hex32 = `0x${'0d'.repeat(32)}`;
const base = { stateRoot: `0x${'01'.repeat(32)}`, parameters: `0x${'02'.repeat(32)}` } as const;

test('with canon-f32-v1 the job and its tasks are the same whatever number of threads a machine has', () => {
  const [one, four] = [1, 4].map((threads) =>
    manifestOf({ ...smoke(), opset: 'canon-f32-v1', threads }, dataset),
  );
  if (one === undefined || four === undefined) throw new Error('two manifests');
  expect(canonicalId(four)).toBe(canonicalId(one));
  expect(one).not.toHaveProperty('threads');
  expect(taskSpec(one, canonicalId(one), 0, base)).not.toHaveProperty('threads');
});

test('with torch they are part of the job, since its bits depend on them', () => {
  const manifest = manifestOf({ ...smoke(), opset: 'torch', threads: 4 }, dataset);
  expect(manifest.threads).toBe(4);
  expect(taskSpec(manifest, canonicalId(manifest), 0, base).threads).toBe(4);
});

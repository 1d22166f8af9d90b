import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSameOpset, requireStakeable } from '../../../src/actions/opset.js';
import type { RunManifest } from '../../../src/protocol/task.js';
import { startToySot, ToyMarket, manifest as toy } from '../../helpers/toySot.js';

test('tasks of opset torch are posted on the development chain only', () => {
  requireStakeable({ opset: 'torch' }, 31337);
  requireStakeable({ opset: 'canon-f32-v1' }, 1);
  expect(() => requireStakeable({ opset: 'torch' }, 1)).toThrow(
    expect.objectContaining({
      family: 'config',
      code: 'opset.not_staked',
      message: 'Tasks on chain 1 are computed with opset canon-f32-v1, and the manifest says torch.',
    }),
  );
});

test('a worker asks the Source of Truth which opset the run has, and stakes on no other', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'panthalia-opset-'));
  const manifest: RunManifest = { ...toy, opset: 'torch', threads: 1 };
  const sot = await startToySot(dir, new ToyMarket(manifest), {});
  try {
    const { signal } = new AbortController();
    await requireSameOpset(sot.client, 'torch', signal);
    await expect(requireSameOpset(sot.client, 'canon-f32-v1', signal)).rejects.toMatchObject({
      family: 'declined',
      code: 'opset.differs',
      details: { expected: 'canon-f32-v1', received: 'torch' },
      next: 'panthalia worker --stake --opset torch',
    });
  } finally {
    await sot.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

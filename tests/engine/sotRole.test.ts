import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataset } from '../../src/data/dataset.js';
import { buildEmbeddedCorpus } from '../../src/data/embeddedCorpus.js';
import type { ModelVersion } from '../../src/data/versions.js';
import { createTrainer, outerStep, parameterFileRoot } from '../../src/engine/trainer.js';
import { innerConstants } from '../../src/protocol/spec.js';
import type { Hex32, RunManifest } from '../../src/protocol/task.js';
import { startToySot, ToyMarket, manifest as toy } from '../helpers/toySot.js';

const manifest: RunManifest = {
  ...toy,
  model: { vocabSize: 256, blockSize: 16, layers: 1, heads: 2, width: 16 },
  batch: { rows: 2, tokens: 16 },
  validationWindows: 4,
};

test('with the real engine: version 0 is what its root says, and results equal to the base change nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'panthalia-sotengine-'));
  const { id, folder } = await buildEmbeddedCorpus(join(dir, 'data'));
  const market = new ToyMarket({ ...manifest, dataset: id });
  const { opset, model, batch } = manifest;
  const sot = await startToySot(join(dir, 'sot'), market, {
    dataset: await openDataset(id, join(folder, '..')),
    compute: {
      createTrainer: () =>
        createTrainer({ opset, device: 'cpu', threads: 1, model, batch, inner: innerConstants(manifest) }),
      outerStep,
    },
  });
  try {
    const base = (await sot.client.latestVersion()) as ModelVersion;
    // An untrained model knows nothing: log(256) = 5.545 nats per byte.
    expect(Math.abs(base.validationLoss - Math.log(256))).toBeLessThan(0.1);
    const file = join(dir, 'theta');
    await sot.client.getToFile(base.parameters, file);
    expect((await parameterFileRoot(model, file)).stateRoot).toBe(base.stateRoot);
    for (const taskId of market.post(base, [0, 1, 2])) market.accept(taskId, base.parameters as Hex32);
    const next = (await sot.client.latestVersion({ after: 0, waitSeconds: 30 })) as ModelVersion;
    expect(next).toMatchObject({
      number: 1,
      stateRoot: base.stateRoot,
      parameters: base.parameters,
      validationLoss: base.validationLoss,
    });
    expect(next.momentum).not.toBeNull();
  } finally {
    await sot.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

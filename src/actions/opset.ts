/** Which arithmetic stake may be put on. With `torch` two honest machines can differ, and one of them loses its stake. */
import type { BlobClient } from '../data/blobClient.js';
import { PanthaliaError } from '../errors.js';
import { developmentChainId } from '../process/anvil.js';
import type { Opset, RunManifest } from '../protocol/task.js';

const maxManifestBytes = 1024 * 1024;

/** For who posts tasks.  throws config/opset.not_staked */
export function requireStakeable({ opset }: Pick<RunManifest, 'opset'>, chainId: number): void {
  if (opset === 'canon-f32-v1' || chainId === developmentChainId) return;
  throw new PanthaliaError(
    'config',
    `Tasks on chain ${chainId} are computed with opset canon-f32-v1, and the manifest says ${opset}.`,
    {
      code: 'opset.not_staked',
      details: { expected: 'canon-f32-v1', received: opset, chainId },
      next: 'panthalia simulate --opset torch trains with it on a chain of its own',
    },
  );
}

/** For who solves them, before anything is staked. It takes the Source of Truth at its word; what a task says is checked again
 *  when it is drawn, against the chain.
 *  throws declined/opset.differs */
export async function requireSameOpset(
  sot: Pick<BlobClient, 'latestVersion' | 'getBytes'>,
  expected: Opset,
  signal: AbortSignal,
): Promise<void> {
  const version = await sot.latestVersion({ signal });
  if (version === undefined) return;
  const bytes = await sot.getBytes(version.jobId, { maxBytes: maxManifestBytes, signal });
  const { opset: received } = JSON.parse(bytes.toString('utf8')) as RunManifest;
  if (received === expected) return;
  throw new PanthaliaError(
    'declined',
    `This worker stakes on opset ${expected}, and the run is computed with ${received}; nothing was staked.`,
    {
      code: 'opset.differs',
      details: { expected, received },
      next: `panthalia worker --stake --opset ${received}`,
    },
  );
}

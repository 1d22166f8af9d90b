/** The newest model of a running job as a file of its own. */
import { join } from 'node:path';
import { readDeployment } from '../chain/deployment.js';
import { createBlobClient } from '../data/blobClient.js';
import { PanthaliaError } from '../errors.js';
import type { RunFolder } from './runFolder.js';

const patienceMs = 3_000;

/** Downloads the parameters of the latest version, verified, into <run>/model-v<n>.f32: the flat fp32 vector of the model.
 *  returns the path.  throws config/sot.unknown, network/sot.unreachable, notFound/sot.no_version */
export async function saveModel(folder: RunFolder): Promise<string> {
  const { sotUrl } = await readDeployment(folder.deployment);
  if (sotUrl === null) {
    throw new PanthaliaError('config', 'The Source of Truth has not started yet.', { code: 'sot.unknown' });
  }
  const sot = createBlobClient({ url: sotUrl, patienceMs });
  const version = await sot.latestVersion();
  if (version === undefined) {
    throw new PanthaliaError('notFound', 'The Source of Truth has no version yet.', {
      code: 'sot.no_version',
    });
  }
  const path = join(folder.path, `model-v${version.number}.f32`);
  await sot.getToFile(version.parameters, path);
  return path;
}

/** Downloads one blob and prints the code of the error.  argv: url, blob, path */
import { createBlobClient } from '../../src/data/blobClient.js';
import type { PanthaliaError } from '../../src/errors.js';
import type { Hex32 } from '../../src/protocol/task.js';

const [url = '', blob = '', path = ''] = process.argv.slice(2);
try {
  await createBlobClient({ url }).getToFile(blob as Hex32, path);
  process.stdout.write('downloaded\n');
} catch (error) {
  process.stdout.write(`${(error as PanthaliaError).code}\n`);
}

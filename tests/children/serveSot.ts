/** A Source of Truth server that any process can kill. Prints its URL; on SIGTERM prints its peak memory in KiB and ends.
 *  argv: folder, port */
import { join } from 'node:path';
import { startBlobServer } from '../../src/data/blobServer.js';
import { BlobStore } from '../../src/data/blobStore.js';
import { Uploads } from '../../src/data/uploads.js';
import { VersionJournal } from '../../src/data/versions.js';
import type { Address } from '../../src/protocol/task.js';

const [dir = '', port = '0'] = process.argv.slice(2);
const account: Address = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf';
const store = await BlobStore.open(dir);
const versions = await VersionJournal.open(join(dir, 'versions.jsonl'));
const server = await startBlobServer({
  store,
  versions,
  uploads: await Uploads.open(store),
  domain: { chainId: 1, verifyingContract: account },
  // Who signs is not what is looked at here, and ethers would weigh on the memory that is.
  recoverSigner: () => account,
  mayWrite: () => true,
  host: '127.0.0.1',
  port: Number(port),
  onError: (error) => console.error((error as Error).message),
});
process.once('SIGTERM', async () => {
  await server[Symbol.asyncDispose]();
  process.stdout.write(`${process.resourceUsage().maxRSS}\n`);
});
process.stdout.write(`${server.url}\n`);

/** The Source of Truth on loopback: throughput of one large blob up and down, and the server's peak memory.
 *  node bench/sot.mjs [MiB, default 512]   (after npm run build) */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const account = '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf';
const data = (name) => import(new URL(`../dist/data/${name}.js`, import.meta.url).href);

async function serve(dir) {
  const [{ startBlobServer }, { BlobStore }, { Uploads }, { VersionJournal }] = await Promise.all(
    ['blobServer', 'blobStore', 'uploads', 'versions'].map(data),
  );
  const store = await BlobStore.open(dir);
  const server = await startBlobServer({
    store,
    uploads: await Uploads.open(store),
    versions: await VersionJournal.open(join(dir, 'versions.jsonl')),
    domain: { chainId: 1, verifyingContract: account },
    recoverSigner: () => account,
    mayWrite: () => true,
    host: '127.0.0.1',
    port: 0,
    onError: (error) => console.error(error),
  });
  process.once('SIGTERM', async () => {
    await server[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    console.log(process.resourceUsage().maxRSS);
    process.exit(0);
  });
  console.log(server.url);
}

async function measure(sizeMiB) {
  const { createBlobClient } = await data('blobClient');
  const { signRequestsWith } = await import(new URL('../dist/protocol/requestAuth.js', import.meta.url).href);
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-bench-'));
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve', join(folder, 'store')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(child.stdout, 'data');
    const sign = signRequestsWith(
      { chainId: 1, verifyingContract: account },
      async () => `0x${'11'.repeat(65)}`,
    );
    const client = createBlobClient({ url: String(line).trim(), sign, onTransfer: print });
    const source = join(folder, 'source');
    const file = await open(source, 'w');
    for (let i = 0; i < sizeMiB; i++) await file.write(Buffer.alloc(1024 ** 2, i));
    await file.close();
    const { blob } = await client.putFile(source);
    await client.getToFile(blob, join(folder, 'copy'));
    child.kill('SIGTERM');
    const [peak] = await once(child.stdout, 'data');
    console.log(`server  peak RSS ${(Number(String(peak)) / 1024).toFixed(0)} MiB`);
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

function print({ direction, sizeBytes, seconds }) {
  console.log(
    `${direction.padEnd(5)}   ${(sizeBytes / seconds / 1e9).toFixed(2)} GB/s  (${seconds.toFixed(2)} s)`,
  );
}

const [first, second] = process.argv.slice(2);
if (first === '--serve') await serve(second);
else await measure(Number(first ?? 512));

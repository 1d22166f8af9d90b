import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createBlobClient, type Transfer } from '../../../src/data/blobClient.js';
import { partSizeBytes } from '../../../src/data/blobParts.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { type SotFixture, signerOf, startSot } from '../../helpers/sotServer.js';
import { versionAfter } from '../../helpers/versions.js';

let folder: string;
let sot: SotFixture;
const content = randomBytes(partSizeBytes + 12_345);
const blob = sha256Hex(content);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'panthalia-client-'));
  sot = await startSot();
});
afterAll(async () => {
  await sot.stop();
  await rm(folder, { recursive: true, force: true });
});

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server that does what no honest one does. */
async function hostile(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a file goes up in parts and comes down verified, and both are told', async () => {
  const transfers: Transfer[] = [];
  const client = createBlobClient({
    url: `${sot.url}/`,
    sign: signerOf(0),
    onTransfer: (transfer) => transfers.push(transfer),
  });
  const source = join(folder, 'source');
  await writeFile(source, content);
  expect(await client.putFile(source)).toEqual({ blob, sizeBytes: content.length });
  const copy = join(folder, 'new', 'copy');
  expect(await client.getToFile(blob, copy)).toEqual({ blob, sizeBytes: content.length });
  expect((await readFile(copy)).equals(content)).toBe(true);
  expect(transfers.map(({ direction, blob: id, sizeBytes }) => [direction, id, sizeBytes])).toEqual([
    ['up', blob, content.length],
    ['down', blob, content.length],
  ]);
});

test('bytes go up and down, none included', async () => {
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  for (const bytes of [Buffer.from('small'), Buffer.alloc(0)]) {
    const stored = await client.putBytes(bytes);
    expect((await client.getBytes(stored.blob, { maxBytes: 5 })).equals(bytes)).toBe(true);
  }
});

test('an upload goes on with the parts that are missing, also after a restart of the server', async () => {
  const other = randomBytes(2 * partSizeBytes);
  let parts = 0;
  const abort = new AbortController();
  const sign = signerOf(0);
  const interrupted = createBlobClient({
    url: sot.url,
    sign: async (request) => {
      // The first part is on its way; the second one never starts.
      if (request.method === 'PUT' && ++parts === 2) abort.abort(new Error('interrupted'));
      return sign(request);
    },
  });
  await expect(interrupted.putBytes(other, { signal: abort.signal })).rejects.toThrow('interrupted');
  await expect.poll(async () => (await readdir(join(sot.dir, 'uploads'))).length).toBe(1);
  const [upload] = await readdir(join(sot.dir, 'uploads'));
  // Write one part for sure, as if the first had arrived.
  await sot.uploads.writePart(upload as `0x${string}`, 0, other.subarray(0, partSizeBytes));
  await sot.restart();
  const sent: string[] = [];
  const again = createBlobClient({
    url: sot.url,
    sign: (request) => {
      if (request.method === 'PUT') sent.push(request.path);
      return sign(request);
    },
  });
  expect(await again.putBytes(other)).toEqual({ blob: sha256Hex(other), sizeBytes: other.length });
  expect(sent.length).toBeLessThanOrEqual(1);
  expect(await readdir(join(sot.dir, 'uploads'))).toEqual([]);
});

test('a download goes on where the connection broke', async () => {
  const ranges: (string | undefined)[] = [];
  const url = await hostile((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from, ...headers });
    const piece = content.subarray(from, from + 3_000_000);
    response.write(piece, () => {
      if (from + piece.length < content.length) response.destroy();
      else response.end();
    });
  });
  const path = join(folder, 'broken');
  await createBlobClient({ url }).getToFile(blob, path);
  expect((await readFile(path)).equals(content)).toBe(true);
  expect(ranges.length).toBeGreaterThanOrEqual(3);
  expect(ranges[0]).toBeUndefined();
});

test('a server that ignores ranges is listened to from the start again', async () => {
  let calls = 0;
  const small = content.subarray(0, 500_000);
  const url = await hostile((_, response) => {
    response.writeHead(200, { 'content-length': small.length });
    if (++calls === 1) response.write(small.subarray(0, 300_000), () => response.destroy());
    else response.end(small);
  });
  const bytes = await createBlobClient({ url }).getBytes(sha256Hex(small), { maxBytes: 1e6 });
  expect(bytes.equals(small)).toBe(true);
});

test('content that is not the blob is refused and leaves no file', async () => {
  const url = await hostile((_, response) => response.end(Buffer.from('something else')));
  const path = join(folder, 'wrong');
  await expect(createBlobClient({ url }).getToFile(blob, path)).rejects.toMatchObject({
    code: 'sot.blob_corrupt',
    family: 'check',
  });
  expect((await readdir(folder)).filter((name) => name.startsWith('wrong'))).toEqual([]);
});

test('a blob that is too large or missing, and a version that is missing, are said so', async () => {
  const client = createBlobClient({ url: sot.url, sign: signerOf(0) });
  const { blob: stored } = await client.putBytes(Buffer.alloc(100));
  await expect(client.getBytes(stored, { maxBytes: 99 })).rejects.toMatchObject({
    code: 'sot.blob_too_large',
  });
  await expect(client.getBytes(sha256Hex('?'), { maxBytes: 9 })).rejects.toMatchObject({
    code: 'sot.blob_not_found',
    family: 'notFound',
  });
  await expect(client.version(77)).rejects.toMatchObject({ code: 'sot.version_not_found' });
});

test('writing without an account, or with one that may not, is refused at once', async () => {
  await expect(createBlobClient({ url: sot.url }).putBytes(content)).rejects.toMatchObject({
    code: 'sot.no_signer',
    family: 'usage',
  });
  const stranger = createBlobClient({ url: sot.url, sign: signerOf(2) });
  await expect(stranger.putBytes(content)).rejects.toMatchObject({
    code: 'auth.not_allowed',
    family: 'user',
  });
});

test('versions: nothing new is undefined, and a new one ends the wait', async () => {
  const client = createBlobClient({ url: sot.url });
  expect(await client.latestVersion()).toBeUndefined();
  const waiting = client.latestVersion({ waitSeconds: 30 });
  const first = versionAfter(undefined);
  await sot.versions.append(first);
  expect(await waiting).toEqual(first);
  expect(await client.version(0)).toEqual(first);
  const abort = new AbortController();
  const inVain = client.latestVersion({ after: 0, waitSeconds: 30, signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(inVain).rejects.toThrow('enough');
});

test('429 and 5xx are tried again, every time with a new signature', async () => {
  const nonces: unknown[] = [];
  const url = await hostile((request, response) => {
    nonces.push(request.headers['panthalia-nonce']);
    response.statusCode = [503, 429, 200][nonces.length - 1] ?? 200;
    response.end(JSON.stringify({ upload: sha256Hex('u'), missing: [], stored: true, budgetLeftBytes: 1 }));
  });
  await createBlobClient({ url, sign: signerOf(0) }).putBytes(Buffer.from('x'));
  expect(new Set(nonces).size).toBe(3);
});

test('a server that is no Source of Truth is named, not its broken JSON', async () => {
  const url = await hostile((_, response) => response.end('<html>Welcome</html>'));
  const client = createBlobClient({ url, sign: signerOf(0) });
  const refusal = { code: 'sot.bad_answer', family: 'network', message: expect.stringContaining(url) };
  await expect(client.latestVersion()).rejects.toMatchObject(refusal);
  await expect(client.version(0)).rejects.toMatchObject(refusal);
  await expect(client.putBytes(Buffer.from('x'))).rejects.toMatchObject(refusal);
});

test('so is one that refuses without a word', async () => {
  const url = await hostile((_, response) => {
    response.statusCode = 404;
    response.end('404 page not found');
  });
  await expect(createBlobClient({ url }).latestVersion()).rejects.toMatchObject({
    code: 'sot.bad_answer',
    family: 'network',
    message: expect.stringContaining(url),
    next: expect.stringContaining('Source of Truth'),
  });
});

test('a full disk at the server is not tried again', async () => {
  let calls = 0;
  const url = await hostile((_, response) => {
    calls++;
    response.statusCode = 507;
    response.end(JSON.stringify({ code: 'storage.disk_full', message: 'The disk is full.' }));
  });
  await expect(createBlobClient({ url, sign: signerOf(0) }).putBytes(content)).rejects.toMatchObject({
    code: 'storage.disk_full',
    message: expect.stringContaining('The disk is full.'),
  });
  expect(calls).toBe(1);
});

test('when patience ends: one sentence with the URL and the reason', async () => {
  const url = await hostile(() => {});
  servers[0]?.closeAllConnections();
  await new Promise((resolve) => servers.pop()?.close(resolve));
  const client = createBlobClient({ url, patienceMs: 200 });
  await expect(client.getBytes(blob, { maxBytes: 1 })).rejects.toMatchObject({
    family: 'network',
    code: 'sot.unreachable',
    message: expect.stringMatching(`${url}.*ECONNREFUSED`),
  });
});

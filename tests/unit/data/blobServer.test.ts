import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { type BlobDescription, describeBytes, partSizeBytes, uploadId } from '../../../src/data/blobParts.js';
import { contentDigest, sha256Hex } from '../../../src/protocol/requestAuth.js';
import type { Hex32 } from '../../../src/protocol/task.js';
import { send, sendSigned } from '../../helpers/http.js';
import { type SotFixture, type SotFixtureOptions, signerOf, startSot } from '../../helpers/sotServer.js';
import { versionAfter } from '../../helpers/versions.js';

const running: SotFixture[] = [];
afterEach(async () => {
  for (const sot of running.splice(0)) await sot.stop();
});
async function newSot(options?: SotFixtureOptions): Promise<SotFixture> {
  const sot = await startSot(options);
  running.push(sot);
  return sot;
}

const sign = signerOf(0);
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const announcementOf = (description: BlobDescription) => ({ ...description, partSizeBytes });
const partOf = (content: Buffer, index: number) =>
  content.subarray(index * partSizeBytes, (index + 1) * partSizeBytes);

/** Announces `content` and returns the paths of its upload. */
async function announce(sot: SotFixture, content: Buffer, as = sign) {
  const announcement = announcementOf(describeBytes(content));
  const answer = await sendSigned(sot.url, as, 'POST', '/v1/uploads', json(announcement));
  const upload = `/v1/uploads/${uploadId(announcement)}`;
  return { answer, upload, part: (index: number) => `${upload}/${index}`, blob: announcement.blob };
}

const twoParts = randomBytes(partSizeBytes + 1000);

test('announce, send the parts in any order, commit, read', async () => {
  const sot = await newSot();
  const { answer, upload, part, blob } = await announce(sot, twoParts);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ missing: [0, 1], stored: false });
  expect((await sendSigned(sot.url, sign, 'PUT', part(1), partOf(twoParts, 1))).status).toBe(204);
  expect(JSON.parse((await send(sot.url, 'GET', upload)).body.toString())).toEqual({ missing: [0] });
  expect((await sendSigned(sot.url, sign, 'POST', `${upload}/commit`)).code).toBe('upload.incomplete');
  expect((await sendSigned(sot.url, sign, 'PUT', part(0), partOf(twoParts, 0))).status).toBe(204);
  for (const again of [1, 2]) {
    const committed = await sendSigned(sot.url, sign, 'POST', `${upload}/commit`);
    expect([again, committed.status]).toEqual([again, 201]);
    expect(JSON.parse(committed.body.toString())).toEqual({ blob, sizeBytes: twoParts.length });
  }
  const read = await send(sot.url, 'GET', `/v1/blobs/${blob}`);
  expect(read.headers).toMatchObject({ etag: `"${blob}"`, 'content-length': String(twoParts.length) });
  expect(read.body.equals(twoParts)).toBe(true);
  const { parts } = describeBytes(twoParts);
  expect(JSON.parse((await send(sot.url, 'GET', `/v1/blobs/${blob}/parts`)).body.toString())).toEqual({
    blob,
    sizeBytes: twoParts.length,
    partSizeBytes,
    parts,
  });
  // Announced again, by another account: nothing to send.
  const again = await announce(sot, twoParts, signerOf(1));
  expect(JSON.parse(again.answer.body.toString())).toMatchObject({ missing: [], stored: true });
});

test('a wrong part is refused before it touches the disk, and can not damage a good one', async () => {
  const sot = await newSot();
  const { upload, part, blob } = await announce(sot, twoParts);
  const bad = Buffer.from(partOf(twoParts, 0));
  bad[5] = (bad[5] as number) ^ 1;
  expect(await sendSigned(sot.url, sign, 'PUT', part(0), bad)).toMatchObject({
    status: 422,
    code: 'upload.wrong_digest',
  });
  for (const index of [0, 1]) await sendSigned(sot.url, sign, 'PUT', part(index), partOf(twoParts, index));
  // The digest of the good part, signed, over other bytes: found only by hashing what came.
  const path = part(0);
  const headers = await sign({ method: 'PUT', path, bodyHash: sha256Hex(partOf(twoParts, 0)) });
  expect(await send(sot.url, 'PUT', path, { headers, body: bad })).toMatchObject({
    status: 422,
    code: 'upload.wrong_part',
  });
  expect((await sendSigned(sot.url, sign, 'POST', `${upload}/commit`)).status).toBe(201);
  expect(sha256Hex(await readFile(sot.store.pathOf(blob)))).toBe(blob);
});

test('a part that is longer than the size that was announced and paid for is refused', async () => {
  const sot = await newSot();
  const { blob, parts } = describeBytes(twoParts.subarray(0, 1000));
  const announcement = announcementOf({ blob, parts, sizeBytes: 1 });
  await sendSigned(sot.url, sign, 'POST', '/v1/uploads', json(announcement));
  const path = `/v1/uploads/${uploadId(announcement)}/0`;
  expect(await sendSigned(sot.url, sign, 'PUT', path, twoParts.subarray(0, 1000))).toMatchObject({
    status: 422,
    code: 'upload.wrong_part',
  });
});

test('parts that are right but make another blob than announced are thrown away', async () => {
  const sot = await newSot();
  const announcement = {
    ...announcementOf(describeBytes(twoParts.subarray(0, 10))),
    blob: sha256Hex('other'),
  };
  const upload = `/v1/uploads/${uploadId(announcement)}`;
  await sendSigned(sot.url, sign, 'POST', '/v1/uploads', json(announcement));
  await sendSigned(sot.url, sign, 'PUT', `${upload}/0`, twoParts.subarray(0, 10));
  expect((await sendSigned(sot.url, sign, 'POST', `${upload}/commit`)).code).toBe('upload.wrong_blob');
  expect((await send(sot.url, 'GET', upload)).status).toBe(404);
  expect(await readdir(join(sot.dir, 'uploads'))).toEqual([]);
  expect((await send(sot.url, 'HEAD', `/v1/blobs/${announcement.blob}`)).status).toBe(404);
});

test.each([
  ['nothing at all', null],
  ['a part count that does not fit', { parts: [] }],
  ['another part size', { partSizeBytes: 1 }],
  ['a negative size', { sizeBytes: -1 }],
  ['a path for an id', { blob: '../../etc/passwd' }],
  ['a path for a part', { parts: ['0x..'] }],
])('an announcement of %s is malformed', async (_, change) => {
  const sot = await newSot();
  const announcement = change && { ...announcementOf(describeBytes(Buffer.from('x'))), ...change };
  const answer = await sendSigned(sot.url, sign, 'POST', '/v1/uploads', json(announcement));
  expect(answer).toMatchObject({ status: 400, code: 'upload.malformed' });
});

test('ids and paths that climb out of the store name nothing', async () => {
  const sot = await newSot();
  await writeFile(join(sot.dir, 'secret'), 'secret');
  for (const path of [
    '/v1/blobs/../../secret',
    '/v1/blobs/..%2f..%2fsecret',
    '/v1/blobs/%2e%2e/%2e%2e/secret',
    `/v1/blobs/0x${'../'.repeat(21)}a`,
    `/v1/blobs/${sha256Hex('').toUpperCase()}`,
    '/v1/versions/../health',
    '//v1/health',
    `http://127.0.0.1/v1/health`,
  ]) {
    expect([path, (await send(sot.url, 'GET', path)).status]).toEqual([path, 404]);
  }
  expect((await sendSigned(sot.url, sign, 'PUT', '/v1/uploads/../../x/0', Buffer.from('x'))).status).toBe(
    404,
  );
  expect(() => sot.store.pathOf('0x../../secret' as Hex32)).toThrow(
    expect.objectContaining({ code: 'blob.bad_id' }),
  );
});

test('every write must be signed, fresh, unused, for this request, by an account that may write', async () => {
  let nowMs = 1_800_000_000_000;
  const sot = await newSot({ nowMs: () => nowMs });
  const at = (account: number) => signerOf(account, undefined, () => 1_800_000_000_000);
  const body = json(announcementOf(describeBytes(Buffer.from('x'))));
  const path = '/v1/uploads';
  const headers = await at(0)({ method: 'POST', path, bodyHash: sha256Hex(body) });
  const refused = async (changes: Record<string, string>, sent = body, target = path) =>
    (await send(sot.url, 'POST', target, { headers: { ...headers, ...changes }, body: sent })).code;

  expect((await send(sot.url, 'POST', path, { body })).code).toBe('auth.unsigned');
  // Anything that was not signed recovers to a stranger.
  expect(await refused({}, body, `${path}?x=1`)).toMatch(/^http.not_found|auth.not_allowed$/);
  expect(await refused({ 'panthalia-nonce': sha256Hex('n') })).toBe('auth.not_allowed');
  expect(await refused({ 'content-digest': contentDigest(sha256Hex('y')) })).toBe('auth.not_allowed');
  expect(await refused({}, json({ other: true }))).toBe('upload.wrong_digest');
  expect(await refused({ 'panthalia-nonce': 'short' })).toBe('auth.malformed');
  expect((await sendSigned(sot.url, at(2), 'POST', path, body)).code).toBe('auth.not_allowed');

  nowMs += 31_000;
  expect(await refused({})).toBe('auth.expired');
  nowMs -= 62_000;
  expect(await refused({})).toBe('auth.future');
  nowMs += 31_000;
  const fresh = await at(0)({ method: 'POST', path, bodyHash: sha256Hex(body) });
  expect((await send(sot.url, 'POST', path, { headers: fresh, body })).status).toBe(200);
  expect((await send(sot.url, 'POST', path, { headers: fresh, body })).code).toBe('auth.replayed');
});

test('a request signed for one part does not write another', async () => {
  const sot = await newSot();
  const { part } = await announce(sot, twoParts);
  const body = partOf(twoParts, 0);
  const headers = await sign({ method: 'PUT', path: part(1), bodyHash: sha256Hex(body) });
  const answer = await send(sot.url, 'PUT', part(0), { headers, body });
  expect(answer).toMatchObject({ status: 403, code: 'auth.not_allowed' });
});

test('sizes are limited: announcements, parts, blobs, budgets', async () => {
  const sot = await newSot({ limits: { budgetBytes: 20_000, maxBlobBytes: 10_000 } });
  const large = Buffer.alloc(300_000, ' ');
  expect(await sendSigned(sot.url, sign, 'POST', '/v1/uploads', large)).toMatchObject({
    status: 413,
    code: 'http.too_large',
  });
  expect((await announce(sot, Buffer.alloc(10_001))).answer.code).toBe('upload.too_large');
  const first = await announce(sot, Buffer.alloc(9_000, 1));
  expect(JSON.parse(first.answer.body.toString()).budgetLeftBytes).toBe(20_000 - 12_288 - 4_096);
  expect((await announce(sot, Buffer.alloc(9_000, 2))).answer).toMatchObject({
    status: 413,
    code: 'upload.budget',
  });
  // Announced twice is reserved once; another account has a budget of its own.
  expect((await announce(sot, Buffer.alloc(9_000, 1))).answer.status).toBe(200);
  expect((await announce(sot, Buffer.alloc(9_000, 2), signerOf(1))).answer.status).toBe(200);
  // What is stored counts, also after a restart.
  await sendSigned(sot.url, sign, 'PUT', first.part(0), Buffer.alloc(9_000, 1));
  await sendSigned(sot.url, sign, 'POST', `${first.upload}/commit`);
  await sot.restart();
  expect((await announce(sot, Buffer.alloc(9_000, 3))).answer.code).toBe('upload.budget');
});

test('a body without a length, longer or shorter than it says is refused', async () => {
  const sot = await newSot();
  const { part } = await announce(sot, twoParts);
  const chunked = { 'transfer-encoding': 'chunked' };
  const body = partOf(twoParts, 1);
  expect(await sendSigned(sot.url, sign, 'PUT', part(1), body, chunked)).toMatchObject({
    status: 411,
    code: 'http.length_required',
  });
  const short = body.subarray(1);
  expect((await sendSigned(sot.url, sign, 'PUT', part(1), short)).code).toBe('upload.wrong_digest');
  expect((await send(sot.url, 'GET', part(1))).status).toBe(405);
  expect((await sendSigned(sot.url, sign, 'PUT', part(9), body)).code).toBe('upload.part_not_found');
});

test('an upload that nobody touches is forgotten and its budget freed', async () => {
  let nowMs = Date.now();
  const sot = await newSot({ nowMs: () => nowMs, limits: { budgetBytes: 20_000, idleMs: 60_000 } });
  const as = (account: number) => signerOf(account, undefined, () => nowMs);
  const { upload } = await announce(sot, Buffer.alloc(9_000, 1), as(0));
  nowMs += 61_000;
  expect((await announce(sot, Buffer.alloc(9_000, 2), as(0))).answer.status).toBe(200);
  expect((await send(sot.url, 'GET', upload)).code).toBe('upload.not_found');
});

test('ranges: the middle, the end, beyond the end, nonsense', async () => {
  const sot = await newSot();
  const content = randomBytes(5_000);
  const { blob } = await sot.store.putBytes(content);
  const get = (range: string) => send(sot.url, 'GET', `/v1/blobs/${blob}`, { headers: { range } });
  for (const [range, from, to] of [
    ['bytes=1000-1999', 1000, 2000],
    ['bytes=4000-', 4000, 5000],
    ['bytes=4000-9999', 4000, 5000],
    ['bytes=-10', 4990, 5000],
    ['bytes=0-0', 0, 1],
  ] as const) {
    const answer = await get(range);
    expect([range, answer.status, answer.headers['content-range']]).toEqual([
      range,
      206,
      `bytes ${from}-${to - 1}/5000`,
    ]);
    expect(answer.body.equals(content.subarray(from, to))).toBe(true);
  }
  for (const range of ['bytes=5000-', 'bytes=2-1', 'bytes=-0', 'bytes=0-1,3-4', 'bytes=-', 'lines=1-2']) {
    const answer = await get(range);
    expect([range, answer.status, answer.headers['content-range']]).toEqual([range, 416, 'bytes */5000']);
  }
});

test('HEAD tells the size without a body, and an unchanged blob is 304', async () => {
  const sot = await newSot();
  const { blob } = await sot.store.putBytes(Buffer.from('content'));
  const head = await send(sot.url, 'HEAD', `/v1/blobs/${blob}`);
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '7', 0]);
  const headers = { 'if-none-match': `"${blob}"` };
  expect((await send(sot.url, 'GET', `/v1/blobs/${blob}`, { headers })).status).toBe(304);
  const empty = await sot.store.putBytes(new Uint8Array());
  expect((await send(sot.url, 'GET', `/v1/blobs/${empty.blob}`)).headers['content-length']).toBe('0');
});

test('versions: the latest, one by number, and waiting for the next', async () => {
  const sot = await newSot();
  const get = (path: string) => send(sot.url, 'GET', path);
  expect((await get('/v1/versions/latest')).status).toBe(204);
  const first = versionAfter(undefined);
  await sot.versions.append(first);
  expect(JSON.parse((await get('/v1/versions/latest')).body.toString())).toEqual(first);
  expect((await get('/v1/versions/latest?after=0&wait=0')).status).toBe(204);
  expect((await get('/v1/versions/1')).code).toBe('sot.version_not_found');
  expect((await get('/v1/versions/latest?after=x')).status).toBe(400);
  const waiting = get('/v1/versions/latest?after=0&wait=30');
  await sot.versions.append(versionAfter(first));
  expect(JSON.parse((await waiting).body.toString()).number).toBe(1);
  expect(JSON.parse((await get('/v1/health')).body.toString())).toMatchObject({ status: 'ok', version: 1 });
});

test('a stopped server answers those who wait', async () => {
  const sot = await newSot();
  const waiting = send(sot.url, 'GET', '/v1/versions/latest?after=0&wait=30');
  await send(sot.url, 'GET', '/v1/health');
  await sot.restart();
  expect((await waiting).status).toBe(204);
});

test('16 parts are taken in at once, 8 of one account; the next is told to wait', async () => {
  const sot = await newSot();
  const content = Buffer.alloc(1_000, 7);
  const body = describeBytes(content);
  const { part } = await announce(sot, content);
  // Requests whose bodies never end: each holds a slot.
  const hold = async (account: number) => {
    const path = part(0);
    const headers = await signerOf(account)({ method: 'PUT', path, bodyHash: body.parts[0] as Hex32 });
    const socket = connect(Number(new URL(sot.url).port), '127.0.0.1');
    const lines = [`PUT ${path} HTTP/1.1`, 'host: sot', 'content-length: 1000', 'expect: 100-continue'];
    socket.write([...lines, ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`), '', ''].join('\r\n'));
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    return { socket, answer };
  };
  const held = [];
  for (let i = 0; i < 8; i++) held.push(await hold(0));
  const ninth = await sendSigned(sot.url, sign, 'PUT', part(0), content);
  expect(ninth).toMatchObject({ status: 429, code: 'http.busy' });
  expect(ninth.headers['retry-after']).toBe('1');
  for (let i = 0; i < 8; i++) held.push(await hold(1));
  expect(held.map(({ answer }) => answer.split('\r\n')[0])).toEqual(
    new Array(16).fill('HTTP/1.1 100 Continue'),
  );
  expect((await sendSigned(sot.url, signerOf(3), 'PUT', part(0), content)).status).toBe(429);
  // Hanging up frees the slots.
  const closed = held.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve)));
  for (const { socket } of held) socket.destroy();
  await Promise.all(closed);
  await expect.poll(async () => (await sendSigned(sot.url, sign, 'PUT', part(0), content)).status).toBe(204);
});

test('a damaged disk is 500 without details for the client, and is told to the operator', async () => {
  const sot = await newSot();
  const { blob } = await sot.store.putBytes(Buffer.from('content'));
  await writeFile(join(sot.dir, 'records', blob.slice(2, 4), `${blob.slice(4)}.json`), '{');
  const answer = await send(sot.url, 'GET', `/v1/blobs/${blob}/parts`);
  expect(answer).toMatchObject({ status: 500, code: 'sot.internal' });
  expect(answer.body.toString()).not.toContain(sot.dir);
  expect(sot.errors).toHaveLength(1);
});

test('a wait for a version ends in its time, also when what nobody holds is collected meanwhile', async () => {
  const sot = await newSot();
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const answered = send(sot.url, 'GET', '/v1/versions/latest?after=9&wait=0.5');
  const collecting = setInterval(collect, 50);
  expect((await answered.finally(() => clearInterval(collecting))).status).toBe(204);
});

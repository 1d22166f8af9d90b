/** A blob from a Source of Truth, checked as it comes and gone on with where a connection broke. */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PanthaliaError, withoutSecrets } from '../errors.js';
import type { Hex32 } from '../protocol/task.js';
import { type SotEndpoint, sotRequest } from './blobRequest.js';
import { publishFile, storageError } from './files.js';

/** A server that sends nothing for this long is treated as gone. */
const idleMs = 30_000;

/** Broken connections in a row, without a single new byte, before giving up. */
const emptyAttempts = 5;

type Write = (chunk: Uint8Array) => Promise<void>;

export interface DownloadOptions {
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** The whole content in memory.  throws notFound/sot.blob_not_found, check/sot.blob_corrupt, check/sot.blob_too_large */
export async function downloadBytes(
  sot: SotEndpoint,
  blob: Hex32,
  options: DownloadOptions,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await download(sot, blob, options, async (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** The content as a file that is whole and right, or absent. Returns its size. */
export async function downloadFile(
  sot: SotEndpoint,
  blob: Hex32,
  path: string,
  options: DownloadOptions,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, 'wx');
    let sizeBytes: number;
    try {
      sizeBytes = await download(sot, blob, options, fileSink(file));
    } finally {
      await file.close();
    }
    await publishFile(temporary, path);
    return sizeBytes;
  } catch (cause) {
    await rm(temporary, { force: true });
    options.signal?.throwIfAborted();
    throw storageError(`download blob ${blob} to ${path}`, cause);
  }
}

function fileSink(file: FileHandle): Write {
  return async (chunk) => {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  };
}

/** Streams the content through sha-256 into `write`; returns its size. */
async function download(sot: SotEndpoint, blob: Hex32, options: DownloadOptions, write: Write) {
  const hash = createHash('sha256');
  let received = 0;
  for (let empty = 0; empty < emptyAttempts; ) {
    const response = await requestFrom(sot, blob, received, options);
    const { firstByte, total } = placeOf(response, received);
    if (total > options.maxBytes) throw await tooLarge(response, blob, total, options.maxBytes);
    const before = received;
    let position = firstByte;
    for await (const chunk of chunksOf(response)) {
      // A server that ignores Range sends the beginning once more.
      const fresh = chunk.subarray(Math.max(0, Math.min(chunk.length, received - position)));
      position += chunk.length;
      if (received + fresh.length > total) throw corrupt(blob, `more than the ${total} bytes it announced`);
      hash.update(fresh);
      await write(fresh);
      received += fresh.length;
    }
    options.signal?.throwIfAborted();
    if (received === total) {
      const digest: Hex32 = `0x${hash.digest('hex')}`;
      if (digest !== blob) throw corrupt(blob, `content with sha-256 ${digest}`);
      return received;
    }
    empty = received > before ? 0 : empty + 1;
  }
  const where = withoutSecrets(sot.url);
  throw new PanthaliaError(
    'network',
    `The Source of Truth at ${where} broke off blob ${blob} at byte ${received}, ${emptyAttempts} times.`,
    { code: 'sot.unreachable', details: { url: where, blob, received } },
  );
}

async function requestFrom(sot: SotEndpoint, blob: Hex32, received: number, options: DownloadOptions) {
  return sotRequest(sot, {
    method: 'GET',
    path: `/v1/blobs/${blob}`,
    headers: received > 0 ? { range: `bytes=${received}-` } : {},
    signal: options.signal,
  });
}

/** Where the answer's bytes lie in the blob, and the blob's size. */
function placeOf(response: Response, received: number): { firstByte: number; total: number } {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (response.status === 206 && range) {
    const firstByte = Number(range[1]);
    if (firstByte <= received) return { firstByte, total: Number(range[2]) };
  }
  const length = response.headers.get('content-length');
  if (response.status === 200 && length !== null) return { firstByte: 0, total: Number(length) };
  throw new PanthaliaError('network', `The Source of Truth answered a download with an unusable range.`, {
    code: 'sot.bad_answer',
    details: { status: response.status, contentRange: response.headers.get('content-range'), length },
  });
}

/** The body until it ends, breaks or goes idle: the caller counts what came. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const timer = setTimeout(() => void reader.cancel().catch(() => {}), idleMs);
      // A broken connection is not an error here: Range goes on where it stopped.
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      clearTimeout(timer);
      if (done || !value) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // Already broken, or left early: nothing more to read.
  }
}

async function tooLarge(response: Response, blob: Hex32, total: number, maxBytes: number) {
  await response.body?.cancel();
  return new PanthaliaError('check', `Blob ${blob} has ${total} bytes; at most ${maxBytes} are accepted.`, {
    code: 'sot.blob_too_large',
    details: { blob, sizeBytes: total, maxBytes },
  });
}

function corrupt(blob: Hex32, received: string): PanthaliaError {
  return new PanthaliaError('check', `The Source of Truth sent ${received} as blob ${blob}.`, {
    code: 'sot.blob_corrupt',
    details: { blob },
  });
}

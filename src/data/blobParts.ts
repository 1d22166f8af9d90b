/** A blob on its way: its id, and its parts, each with a hash of its own. Shared by client and server. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PanthaliaError } from '../errors.js';
import { canonicalId } from '../protocol/canonicalJson.js';
import type { Hex32 } from '../protocol/task.js';

/** Large enough to be fast, small enough for one to be lost (and for S3's multipart, which starts at 5 MiB). */
export const partSizeBytes = 8 * 1024 * 1024;
/** One read of a file: Node's default of 64 KiB costs sixteen times the calls. */
export const streamChunkBytes = 1024 * 1024;

export interface BlobDescription {
  /** sha-256 of the whole content: the blob's id */
  blob: Hex32;
  sizeBytes: number;
  /** sha-256 of each 8 MiB part, the last one shorter; none for an empty blob */
  parts: Hex32[];
}

/** What an uploader announces. Its canonical id names the upload, so it can not change after it was announced and nobody
 *  can occupy another's blob with false parts. */
export interface UploadAnnouncement extends BlobDescription {
  partSizeBytes: typeof partSizeBytes;
}

export function uploadId(announcement: UploadAnnouncement): Hex32 {
  const { blob, sizeBytes, parts } = announcement;
  return canonicalId({ blob, sizeBytes, partSizeBytes, parts });
}

function partCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / partSizeBytes);
}

/** Bytes of part `index` of a blob. */
export function partLength(sizeBytes: number, index: number): number {
  return Math.min(partSizeBytes, sizeBytes - index * partSizeBytes);
}

export function describeBytes(bytes: Uint8Array): BlobDescription {
  const parts = Array.from({ length: partCount(bytes.length) }, (_, index) =>
    sha256(bytes.subarray(index * partSizeBytes, (index + 1) * partSizeBytes)),
  );
  return { blob: sha256(bytes), sizeBytes: bytes.length, parts };
}

/** Reads a file once, for its id alone. */
export async function hashFile(path: string): Promise<Hex32> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: streamChunkBytes }), hash);
  return `0x${hash.digest('hex')}`;
}

/** Reads a file once, for the id and the parts. */
export async function describeFile(path: string, signal?: AbortSignal): Promise<BlobDescription> {
  const whole = createHash('sha256');
  const parts: Hex32[] = [];
  let part = createHash('sha256');
  let sizeBytes = 0;
  const stream = createReadStream(path, { highWaterMark: streamChunkBytes, ...(signal ? { signal } : {}) });
  // Reads are whole MiB except the last one, so a part never ends inside a chunk; short reads are cut here all the same.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    whole.update(chunk);
    for (let at = 0; at < chunk.length; ) {
      const room = partSizeBytes - (sizeBytes % partSizeBytes);
      const piece = chunk.subarray(at, at + room);
      part.update(piece);
      at += piece.length;
      sizeBytes += piece.length;
      if (sizeBytes % partSizeBytes === 0) {
        parts.push(`0x${part.digest('hex')}`);
        part = createHash('sha256');
      }
    }
  }
  if (sizeBytes % partSizeBytes !== 0) parts.push(`0x${part.digest('hex')}`);
  return { blob: `0x${whole.digest('hex')}`, sizeBytes, parts };
}

/** An announcement as it came over the network.  throws check/upload.malformed, upload.too_large */
export function parseAnnouncement(value: unknown, maxBlobBytes: number): UploadAnnouncement {
  const { blob, sizeBytes, partSizeBytes: partSize, parts } = (value ?? {}) as Partial<UploadAnnouncement>;
  const isWhole =
    isBlobId(blob) &&
    Number.isSafeInteger(sizeBytes) &&
    (sizeBytes as number) >= 0 &&
    partSize === partSizeBytes &&
    Array.isArray(parts) &&
    parts.every(isBlobId) &&
    parts.length === partCount(sizeBytes as number);
  if (!isWhole) {
    throw new PanthaliaError(
      'check',
      `An announcement is {blob, sizeBytes, partSizeBytes: ${partSizeBytes}, parts} with one sha-256 per part.`,
      { code: 'upload.malformed' },
    );
  }
  if ((sizeBytes as number) > maxBlobBytes) {
    throw new PanthaliaError(
      'check',
      `A blob has at most ${maxBlobBytes} bytes; ${sizeBytes} were announced.`,
      {
        code: 'upload.too_large',
        details: { sizeBytes, maxBlobBytes },
      },
    );
  }
  return { blob, sizeBytes: sizeBytes as number, partSizeBytes, parts };
}

export function isBlobId(text: unknown): text is Hex32 {
  return typeof text === 'string' && /^0x[0-9a-f]{64}$/.test(text);
}

function sha256(bytes: Uint8Array): Hex32 {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}

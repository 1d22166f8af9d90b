/** Everything a role does with a Source of Truth. */
import { type FileHandle, open } from 'node:fs/promises';
import { PanthaliaError, withoutSecrets } from '../errors.js';
import type { SignRequest } from '../protocol/requestAuth.js';
import type { Hex32 } from '../protocol/task.js';
import { downloadBytes, downloadFile } from './blobDownload.js';
import {
  type BlobDescription,
  describeBytes,
  describeFile,
  partLength,
  partSizeBytes,
  type UploadAnnouncement,
} from './blobParts.js';
import { type SotEndpoint, sotJson, sotRequest } from './blobRequest.js';
import type { ModelVersion } from './versions.js';

export interface Transfer {
  direction: 'up' | 'down';
  blob: Hex32;
  sizeBytes: number;
  seconds: number;
}

export interface BlobClientOptions {
  /** base URL of the SOT */
  url: string;
  /** needed for the put methods only */
  sign?: SignRequest | undefined;
  onTransfer?: ((transfer: Transfer) => void) | undefined;
  /** how long a request is tried again while the SOT is away; default 30 s */
  patienceMs?: number;
}

interface Waiting {
  signal?: AbortSignal | undefined;
}

export interface StoredBlob {
  blob: Hex32;
  sizeBytes: number;
}

/** All methods throw network/sot.unreachable when patience ends, and the server's code when it refuses. */
export interface BlobClient {
  /** Uploads a file in parts; parts the SOT already has are not sent again. */
  putFile(path: string, options?: Waiting): Promise<StoredBlob>;
  putBytes(bytes: Uint8Array, options?: Waiting): Promise<StoredBlob>;
  /** Downloads into `path`, whole and verified or not at all. maxBytes: default 8 GiB
   *  throws notFound/sot.blob_not_found, check/sot.blob_corrupt, check/sot.blob_too_large */
  getToFile(blob: Hex32, path: string, options?: Waiting & { maxBytes?: number }): Promise<StoredBlob>;
  /** throws as getToFile */
  getBytes(blob: Hex32, options: Waiting & { maxBytes: number }): Promise<Buffer>;
  /** The latest version, or undefined when none is above `after` within `waitSeconds` (at most 30). */
  latestVersion(
    options?: Waiting & { after?: number; waitSeconds?: number },
  ): Promise<ModelVersion | undefined>;
  /** throws notFound/sot.version_not_found */
  version(number: number, options?: Waiting): Promise<ModelVersion>;
}

const defaultPatienceMs = 30_000;
const defaultMaxBytes = 8 * 1024 ** 3;
/** Keeps the line busy while the server verifies, within the half of its slots that one account may take. */
const parallelParts = 4;
/** One part at 1 Mbit/s takes 67 s. */
const partTimeoutMs = 180_000;

/** throws usage/sot.bad_url */
export function createBlobClient(options: BlobClientOptions): BlobClient {
  if (!isUsable(options.url)) throw badUrl(options.url);
  const sot: SotEndpoint = {
    url: options.url.replace(/\/+$/, ''),
    sign: options.sign,
    patienceMs: options.patienceMs ?? defaultPatienceMs,
  };
  const timed = async (direction: 'up' | 'down', transfer: () => Promise<StoredBlob>) => {
    const startedMs = performance.now();
    const stored = await transfer();
    options.onTransfer?.({ direction, ...stored, seconds: (performance.now() - startedMs) / 1000 });
    return stored;
  };
  return {
    putFile: (path, { signal } = {}) =>
      timed('up', async () => {
        const description = await describeFile(path, signal);
        const file = await open(path, 'r');
        try {
          return await upload(sot, description, (index) => readPart(file, description, index), signal);
        } finally {
          await file.close();
        }
      }),
    putBytes: (bytes, { signal } = {}) =>
      timed('up', async () => {
        const part = async (index: number) =>
          bytes.subarray(index * partSizeBytes, (index + 1) * partSizeBytes);
        return upload(sot, describeBytes(bytes), part, signal);
      }),
    getToFile: (blob, path, { signal, maxBytes = defaultMaxBytes } = {}) =>
      timed('down', async () => ({
        blob,
        sizeBytes: await downloadFile(sot, blob, path, { maxBytes, signal }),
      })),
    getBytes: async (blob, { signal, maxBytes }) => {
      let content: Buffer = Buffer.alloc(0);
      await timed('down', async () => {
        content = await downloadBytes(sot, blob, { maxBytes, signal });
        return { blob, sizeBytes: content.length };
      });
      return content;
    },
    latestVersion: (request = {}) => latestVersion(sot, request),
    version: async (number, { signal } = {}) => {
      return sotJson<ModelVersion>(sot, { method: 'GET', path: `/v1/versions/${number}`, signal });
    },
  };
}

async function latestVersion(
  sot: SotEndpoint,
  { after = -1, waitSeconds = 0, signal }: Waiting & { after?: number; waitSeconds?: number },
): Promise<ModelVersion | undefined> {
  const path = `/v1/versions/latest?after=${after}&wait=${waitSeconds}`;
  const timeoutMs = (waitSeconds + 30) * 1000;
  return sotJson<ModelVersion | undefined>(sot, { method: 'GET', path, timeoutMs, signal });
}

/** Announce, send what is missing, commit. Every request may be repeated, so a lost answer costs nothing. */
async function upload(
  sot: SotEndpoint,
  description: BlobDescription,
  readPartAt: (index: number) => Promise<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<StoredBlob> {
  const announcement: UploadAnnouncement = { ...description, partSizeBytes };
  const body = Buffer.from(JSON.stringify(announcement));
  const request = { method: 'POST', path: '/v1/uploads', body, signal } as const;
  const { upload, missing, stored } = await sotJson<AnnouncementAnswer>(sot, request);
  if (!stored) {
    await sendParts(sot, { upload, missing, parts: description.parts }, readPartAt, signal);
    const path = `/v1/uploads/${upload}/commit`;
    const committed = await sotRequest(sot, { method: 'POST', path, timeoutMs: partTimeoutMs, signal });
    await committed.body?.cancel();
  }
  return { blob: description.blob, sizeBytes: description.sizeBytes };
}

/** What POST /v1/uploads answers. */
export interface AnnouncementAnswer {
  upload: Hex32;
  /** parts still to be sent */
  missing: number[];
  /** the blob is there already: nothing to send, nothing to commit */
  stored: boolean;
  /** what the announcing account may still announce */
  budgetLeftBytes: number;
}

async function sendParts(
  sot: SotEndpoint,
  { upload, missing, parts }: { upload: Hex32; missing: number[]; parts: Hex32[] },
  readPartAt: (index: number) => Promise<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const queue = missing.values();
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const lane = async () => {
    // All lanes take from one iterator; the first failure ends the others.
    for (const index of queue) {
      const path = `/v1/uploads/${upload}/${index}`;
      const body = await readPartAt(index);
      const bodyHash = parts[index] as Hex32; // Signed as announced: if the file changed since, the server finds it.
      const request = { path, body, bodyHash, timeoutMs: partTimeoutMs, signal: stop };
      const answer = await sotRequest(sot, { method: 'PUT', ...request });
      await answer.body?.cancel();
    }
  };
  const lanes = Array.from({ length: Math.min(parallelParts, missing.length) }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(lanes);
    throw error;
  }
}

async function readPart(
  file: FileHandle,
  { sizeBytes }: BlobDescription,
  index: number,
): Promise<Uint8Array> {
  const part = Buffer.allocUnsafe(partLength(sizeBytes, index));
  for (let at = 0; at < part.length; ) {
    const { bytesRead } = await file.read(part, at, part.length - at, index * partSizeBytes + at);
    // A file that shrank meanwhile: the part goes out short and the server refuses it by its hash.
    if (bytesRead === 0) return part.subarray(0, at);
    at += bytesRead;
  }
  return part;
}

/** No fetch takes a URL with a user or a password in it. */
function isUsable(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

function badUrl(url: string): PanthaliaError {
  const received = withoutSecrets(url);
  const more = URL.canParse(url) && new URL(url).username !== '' ? ', with a user' : '';
  return new PanthaliaError(
    'usage',
    `The URL of a Source of Truth starts with http:// or https:// and has no user or password in it, received "${received}"${more}.`,
    { code: 'sot.bad_url', details: { url: received }, next: 'pass --sot-url http://HOST:PORT' },
  );
}

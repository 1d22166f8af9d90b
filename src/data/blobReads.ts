/** Open requests: blobs, what they are made of, versions of the model. */
import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { within } from '../deadline.js';
import type { PanthaliaError } from '../errors.js';
import type { Hex32 } from '../protocol/task.js';
import { partSizeBytes, streamChunkBytes } from './blobParts.js';
import type { Call, Route } from './blobRoute.js';
import type { BlobStore } from './blobStore.js';
import { httpError, sendJson } from './httpAnswer.js';
import { parseRange } from './httpRange.js';
import type { Uploads } from './uploads.js';
import type { ModelVersion, VersionJournal } from './versions.js';

export interface BlobReads {
  store: BlobStore;
  uploads: Uploads;
  versions: VersionJournal;
}

const longestWaitSeconds = 30;

/** closing: ends the waits for a version */
export function readRoutes(options: BlobReads, closing: AbortSignal): Route[] {
  const { store, uploads, versions } = options;
  const blobPath = /^\/v1\/blobs\/(0x[0-9a-f]{64})$/;
  return [
    {
      method: 'GET',
      path: /^\/v1\/uploads\/(0x[0-9a-f]{64})$/,
      answer: async ({ response }, [id]) =>
        sendJson(response, 200, { missing: uploads.missing(id as Hex32) }),
    },
    { method: 'GET', path: blobPath, answer: (call, [id]) => sendBlob(call, store, id as Hex32) },
    { method: 'HEAD', path: blobPath, answer: (call, [id]) => sendBlob(call, store, id as Hex32) },
    {
      method: 'GET',
      path: /^\/v1\/blobs\/(0x[0-9a-f]{64})\/parts$/,
      answer: async ({ response }, [id]) => {
        const record = await store.record(id as Hex32);
        if (!record) throw blobNotFound(id as Hex32);
        const { blob, sizeBytes, parts } = record;
        sendJson(response, 200, { blob, sizeBytes, partSizeBytes, parts });
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/versions\/latest$/,
      answer: async ({ response, query }) => {
        const version = await waitForVersion(versions, query, response, closing);
        if (version) sendJson(response, 200, version);
        else response.writeHead(204, { 'cache-control': 'no-store' }).end();
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/versions\/(\d{1,9})$/,
      answer: async ({ response }, [number]) => {
        const version = versions.get(Number(number));
        if (!version) throw httpError('sot.version_not_found', `There is no version ${number}.`);
        sendJson(response, 200, version);
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/health$/,
      answer: async ({ response }) =>
        sendJson(response, 200, { status: 'ok', version: versions.latest?.number ?? null, partSizeBytes }),
    },
  ];
}

async function sendBlob({ request, response }: Call, store: BlobStore, blob: Hex32): Promise<void> {
  const sizeBytes = await store.sizeOf(blob);
  if (sizeBytes === undefined) throw blobNotFound(blob);
  const etag = `"${blob}"`;
  const headers = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'application/octet-stream',
  };
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end();
  const range = parseRange(request.headers.range, sizeBytes);
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${sizeBytes}`);
    throw httpError(
      'http.range',
      `The blob has ${sizeBytes} bytes; ${request.headers.range} is no range of it.`,
    );
  }
  const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'content-length': last - first + 1,
    ...(range ? { 'content-range': `bytes ${first}-${last}/${sizeBytes}` } : {}),
  });
  if (request.method === 'HEAD' || sizeBytes === 0) return void response.end();
  const content = createReadStream(store.pathOf(blob), {
    start: first,
    end: last,
    highWaterMark: streamChunkBytes,
  });
  await pipeline(content, response);
}

async function waitForVersion(
  versions: VersionJournal,
  query: URLSearchParams,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<ModelVersion | undefined> {
  const after = Number(query.get('after') ?? -1);
  const wait = Number(query.get('wait') ?? 0);
  if (!Number.isSafeInteger(after) || !(wait >= 0)) {
    throw httpError('http.malformed', 'after is a version number and wait a number of seconds.');
  }
  const waitMs = Math.min(wait, longestWaitSeconds) * 1000;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  using inTime = within(waitMs, closing, gone.signal);
  return await versions.waitAbove(after, inTime.signal);
}

function blobNotFound(blob: Hex32): PanthaliaError {
  return httpError('sot.blob_not_found', `Blob ${blob} is not stored here.`, { blob });
}

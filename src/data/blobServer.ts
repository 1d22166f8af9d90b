/** The Source of Truth over HTTP.  source: docs/protocol.md, blobs and signed requests
 *
 *    POST     /v1/uploads                 announce     -> 200 {upload, missing, stored, budgetLeftBytes}
 *    PUT      /v1/uploads/:upload/:index  one part     -> 204
 *    GET      /v1/uploads/:upload                      -> 200 {missing}
 *    POST     /v1/uploads/:upload/commit               -> 201 {blob, sizeBytes}
 *    GET|HEAD /v1/blobs/:blob             Range        -> 200, 206, 304, 416
 *    GET      /v1/blobs/:blob/parts                    -> 200 {blob, sizeBytes, partSizeBytes, parts}
 *    GET      /v1/versions/latest?after=n&wait=s       -> 200 version, 204 none above n within s seconds
 *    GET      /v1/versions/:number                     -> 200 version
 *    GET      /v1/health                               -> 200
 *
 *  Writes are signed. Reads are open: a blob is named by its hash, so a reader needs to trust nobody; anyone may open a
 *  dispute, so anyone must be able to re-execute; and the model under training is no secret from those who train it. */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { PanthaliaError } from '../errors.js';
import {
  authenticate,
  NonceCache,
  type RecoverSigner,
  type RequestDomain,
  type SignedRequest,
  sha256Hex,
} from '../protocol/requestAuth.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { partSizeBytes, streamChunkBytes } from './blobParts.js';
import type { BlobStore } from './blobStore.js';
import { httpError, sendError, sendJson } from './httpAnswer.js';
import { parseRange } from './httpRange.js';
import { contentLength, PartSlots, readBody } from './partSlots.js';
import type { Uploads } from './uploads.js';
import type { ModelVersion, VersionJournal } from './versions.js';

export interface BlobServerOptions {
  store: BlobStore;
  uploads: Uploads;
  versions: VersionJournal;
  domain: RequestDomain;
  recoverSigner: RecoverSigner;
  /** May this account store blobs? Decided from the chain. */
  mayWrite: (account: Address) => boolean;
  host: string;
  /** 0: any free port */
  port: number;
  /** errors that are ours (5xx); the client gets one sentence */
  onError: (error: unknown) => void;
  nowMs?: () => number;
}

export interface BlobServer extends AsyncDisposable {
  /** http://host:port */
  readonly url: string;
}

/** 16 x 8 MiB: what uploads may take of the memory. */
const partsInFlight = 16;
/** An announcement of an 8 GiB blob has 1,024 part hashes of 69 bytes. */
const announcementBytes = 256 * 1024;
const longestWaitSeconds = 30;

/** Listens until disposed.  throws network/sot.port_in_use */
export async function startBlobServer(options: BlobServerOptions): Promise<BlobServer> {
  const closing = new AbortController();
  const handler = createHandler(options, closing.signal);
  // Node's own defaults end a slow upload after 300 s and an idle connection after 5 s, which clients see as a reset.
  const server = createServer(
    { requestTimeout: 180_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 },
    (request, response) => void handler(request, response),
  );
  server.maxConnections = 1024;
  server.setTimeout(120_000);
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return;
      closing.abort();
      await close(server);
    },
  };
}

interface Call {
  request: IncomingMessage;
  response: ServerResponse;
  /** the target as it stood in the request line: what was signed */
  target: string;
  query: URLSearchParams;
}

interface Route {
  method: string;
  path: RegExp;
  answer: (call: Call, match: string[]) => Promise<void>;
}

function createHandler(options: BlobServerOptions, closing: AbortSignal) {
  const routes = [...writeRoutes(options), ...readRoutes(options, closing)];
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.setHeader('x-content-type-options', 'nosniff');
    try {
      const target = request.url ?? '/';
      const [path = '/', query = ''] = target.split('?', 2);
      // Paths are matched as they stand, never decoded: `..` and `%2e` match no route.
      const onPath = routes.filter((route) => route.path.test(path));
      if (onPath.length === 0)
        throw httpError('http.not_found', `There is nothing at ${path.slice(0, 200)}.`);
      const route = onPath.find(({ method }) => method === request.method);
      if (!route) throw httpError('http.method', `${request.method} is not possible here.`);
      const call = { request, response, target, query: new URLSearchParams(query) };
      await route.answer(call, route.path.exec(path)?.slice(1) ?? []);
    } catch (error) {
      // The other side hung up: there is nobody left to answer.
      if (isHangUp(error)) response.destroy();
      else sendError(request, response, error, options.onError);
    }
  };
}

function writeRoutes(options: BlobServerOptions): Route[] {
  const { uploads } = options;
  const nonces = new NonceCache();
  const slots = new PartSlots(partsInFlight);
  const authorise = (call: Call) => authoriseWrite(call, options, nonces);
  return [
    {
      method: 'POST',
      path: /^\/v1\/uploads$/,
      answer: async (call) => {
        const { signer, bodyHash } = authorise(call);
        const length = contentLength(call.request, announcementBytes);
        const body = await readBody(call.request, Buffer.allocUnsafe(length), length);
        checkDigest(body, bodyHash);
        sendJson(call.response, 200, await uploads.announce(parseJson(body), signer));
      },
    },
    {
      method: 'PUT',
      path: /^\/v1\/uploads\/(0x[0-9a-f]{64})\/(\d{1,6})$/,
      answer: async (call, [id, index]) => {
        const { signer, bodyHash } = authorise(call);
        const part = uploads.expectedPart(id as Hex32, Number(index));
        // Refused before a byte is read: the digest is signed, so it can not turn out right later.
        if (bodyHash !== part.sha256) {
          throw httpError(
            'upload.wrong_digest',
            `Part ${index} must have sha-256 ${part.sha256}; ${bodyHash} was announced.`,
          );
        }
        const length = contentLength(call.request, partSizeBytes);
        await slots.with(signer, async (buffer) => {
          const body = await readBody(call.request, buffer, length);
          await uploads.writePart(id as Hex32, Number(index), body);
        });
        call.response.writeHead(204).end();
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/uploads\/(0x[0-9a-f]{64})\/commit$/,
      answer: async (call, [id]) => {
        const { bodyHash } = authorise(call);
        checkDigest(await readBody(call.request, Buffer.alloc(0), 0), bodyHash);
        const { blob, sizeBytes } = await uploads.commit(id as Hex32);
        sendJson(call.response, 201, { blob, sizeBytes });
      },
    },
  ];
}

function readRoutes(options: BlobServerOptions, closing: AbortSignal): Route[] {
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

function authoriseWrite(
  { request, target }: Call,
  { domain, recoverSigner, mayWrite, nowMs = Date.now }: BlobServerOptions,
  nonces: NonceCache,
): { signer: Address; bodyHash: Hex32 } {
  const received = {
    method: request.method ?? '',
    path: target,
    header: (name: string) => request.headers[name]?.toString(),
  };
  const authentic: { signer: Address; request: SignedRequest } = authenticate(received, {
    domain,
    recoverSigner,
    nowMs: nowMs(),
  });
  const { signer } = authentic;
  if (!mayWrite(signer)) {
    throw new PanthaliaError(
      'user',
      `${signer} may not store blobs: only the buyer of the job and accounts with active stake may.`,
      { code: 'auth.not_allowed', details: { signer }, next: 'panthalia worker --stake' },
    );
  }
  nonces.spend(signer, authentic.request, nowMs());
  return { signer, bodyHash: authentic.request.bodyHash };
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
  return versions.waitAbove(after, AbortSignal.any([closing, gone.signal, AbortSignal.timeout(waitMs)]));
}

function checkDigest(body: Uint8Array, claimed: Hex32): void {
  const bodyHash = sha256Hex(body);
  if (bodyHash === claimed) return;
  throw httpError('upload.wrong_digest', `The body has sha-256 ${bodyHash}; ${claimed} was signed.`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw httpError('http.malformed', 'The body is not JSON.');
  }
}

function blobNotFound(blob: Hex32): PanthaliaError {
  return httpError('sot.blob_not_found', `Blob ${blob} is not stored here.`, { blob });
}

function isHangUp(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new PanthaliaError('network', `Port ${port} on ${host} is in use.`, {
              code: 'sot.port_in_use',
              details: { host, port },
              next: 'choose another one with --port, or 0 for any',
              cause: error,
            })
          : error,
      ),
    );
    server.listen(port, host);
  });
}

/** Answers in progress may finish; a connection is closed as soon as it idles. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const grace = setTimeout(() => server.closeAllConnections(), 2_000);
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}

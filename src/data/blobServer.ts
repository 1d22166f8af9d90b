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
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PanthaliaError } from '../errors.js';
import { type BlobReads, readRoutes } from './blobReads.js';
import { type BlobWrites, writeRoutes } from './blobWrites.js';
import { httpError, sendError } from './httpAnswer.js';

export interface BlobServerOptions extends BlobReads, BlobWrites {
  host: string;
  /** 0: any free port */
  port: number;
  /** errors that are ours (5xx); the client gets one sentence */
  onError: (error: unknown) => void;
}

export interface BlobServer extends AsyncDisposable {
  /** http://host:port */
  readonly url: string;
}

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

function isHangUp(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error) => reject(cannotListen(error, host, port)));
    server.listen(port, host);
  });
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, port: number): PanthaliaError {
  const details = { host, port, reason: cause.code };
  if (cause.code === 'EADDRINUSE') {
    const next = 'choose another one with --port, or 0 for any';
    const options = { code: 'sot.port_in_use', details, next, cause };
    return new PanthaliaError('network', `Port ${port} on ${host} is in use.`, options);
  }
  const next =
    'pass --host with an address of this machine: 127.0.0.1, or 0.0.0.0 for all, and a --port that is yours';
  const options = { code: 'sot.can_not_listen', details, next, cause };
  return new PanthaliaError(
    'network',
    `Nothing can listen at ${host}, port ${port} (${cause.code}).`,
    options,
  );
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

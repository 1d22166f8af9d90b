/** GET /metrics over HTTP, for Prometheus. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PanthaliaError } from '../errors.js';
import type { Metrics } from './metrics.js';

export interface MetricsServer extends AsyncDisposable {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string;
}

/** port: 0 takes a free one.  throws network/metrics.not_listening */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('the metrics are at /metrics\n');
    } else {
      metrics.text().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        (error) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error.message}\n`),
      );
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new PanthaliaError('network', `Metrics can not be served at ${host}:${port} (${cause.code}).`, {
          code: 'metrics.not_listening',
          details: { host, port, reason: cause.code },
          next: 'pass another --metrics HOST:PORT; port 0 takes a free one',
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  // A scrape is no reason to stay.
  server.unref();
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** --metrics HOST:PORT: what the process counts, for Prometheus, while the command runs. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import type { EventListener } from '../events/bus.js';
import type { Metrics } from '../metrics/metrics.js';
import type { CommandIo } from './io.js';

export interface MetricsFlag {
  metrics?: { host: string; port: number };
}

export interface OpenMetrics extends AsyncDisposable {
  listener: EventListener;
  follow: Metrics['follow'];
}

export function metricsOption(): Option {
  return new Option('--metrics <host:port>', 'serve Prometheus metrics at http://HOST:PORT/metrics')
    .argParser(hostAndPort)
    .env('PANTHALIA_METRICS');
}

/** Counts and serves nothing when the flag was not given.  throws network/metrics.not_listening */
export async function openMetrics({ metrics: at }: MetricsFlag, io: CommandIo): Promise<OpenMetrics> {
  if (at === undefined)
    return { listener: () => {}, follow: () => {}, [Symbol.asyncDispose]: async () => {} };
  const [{ createMetrics }, { serveMetrics }] = await Promise.all([
    import('../metrics/metrics.js'),
    import('../metrics/serve.js'),
  ]);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const metrics = await createMetrics({ build: { version, node: process.versions.node } });
  const server = await serveMetrics(metrics, at);
  io.say(`metrics at ${server.url}`);
  return {
    listener: metrics.listener,
    follow: metrics.follow,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** 9464, :9464, 0.0.0.0:9464, [::1]:9464; without a host only this machine can ask. */
function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:9464.');
  }
  return { host: match[1]?.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1', port };
}

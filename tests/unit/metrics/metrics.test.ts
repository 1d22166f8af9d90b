import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { serveMetrics } from '../../../src/metrics/serve.js';
import { applyFacts } from '../../../src/protocol/market.js';
import { emptyMarket } from '../../../src/protocol/marketView.js';
import { cheatedRun } from '../../helpers/demoRun.js';

const docs = join(import.meta.dirname, '../../../docs');
const build = { version: '0.0.0', node: process.versions.node };

async function countedRun() {
  const metrics = await createMetrics({ build, now: () => 5_000 });
  for (const event of cheatedRun()) metrics.listener(event);
  return metrics;
}

/** name{label="value"} -> number */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('a run counts its steps, tasks, disputes, slashes and earnings', async () => {
  const found = samples(await (await countedRun()).text());
  expect(found.get('panthalia_train_steps_total{worker="worker_0"}')).toBeGreaterThan(0);
  const steps = [...found].filter(([name]) => name.startsWith('panthalia_train_steps_total'));
  expect(steps.reduce((sum, [, value]) => sum + value, 0)).toBe(9 * 6);
  expect(found.get('panthalia_train_tokens_total{worker="worker_2"}')).toBeGreaterThanOrEqual(6 * 4 * 16);
  expect(found.get('panthalia_outer_steps_total')).toBe(2);
  expect(found.get('panthalia_model_version')).toBe(2);
  expect(found.get('panthalia_tasks{state="accepted"}')).toBe(8);
  expect(found.get('panthalia_tasks{state="rejected"}')).toBe(1);
  expect(found.get('panthalia_disputes{verdict="invalid"}')).toBe(1);
  expect(found.get('panthalia_slashed_tokens{account="worker_2",role="solver"}')).toBe(100);
  expect(found.get('panthalia_stake_seats{account="worker_2",role="solver"}')).toBe(0);
  const earned = [...found].filter(([name]) => name.startsWith('panthalia_earned_tokens'));
  expect(earned.reduce((sum, [, value]) => sum + value, 0)).toBe(8 * 10 + 30);
  expect(found.get('panthalia_process_up{process="anvil"}')).toBe(0);
  expect(found.get('panthalia_last_event_age_seconds{process="sot"}')).toBe(0);
  expect(found.get('panthalia_build_info{version="0.0.0",node="'.concat(build.node, '"}'))).toBe(1);
  expect(found.get('process_cpu_seconds_total')).toBeGreaterThan(0);
});

test('a role that follows the market itself is asked at each scrape', async () => {
  const facts = cheatedRun().flatMap((event) => (event.type === 'chain.fact' ? [event.fact] : []));
  const market = { view: emptyMarket(), head: { number: 7 } };
  const metrics = await createMetrics({ build });
  metrics.follow(market);
  expect(samples(await metrics.text()).get('panthalia_chain_block')).toBe(7);
  market.view = applyFacts(market.view, facts);
  market.head = { number: 70 };
  const found = samples(await metrics.text());
  expect(found.get('panthalia_chain_block')).toBe(70);
  expect(found.get('panthalia_tasks{state="accepted"}')).toBe(8);
});

test('what the Grafana dashboard and the alert rules ask for is there', async () => {
  const found = await (await countedRun()).text();
  const known = new Set(
    [...found.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  for (const file of ['grafana-dashboard.json', 'alerts.yml']) {
    const asked = readFileSync(join(docs, file), 'utf8').match(/\bpanthalia_[a-z_]+/g) ?? [];
    expect(asked.length).toBeGreaterThan(2);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  }
  const dashboard = JSON.parse(readFileSync(join(docs, 'grafana-dashboard.json'), 'utf8'));
  expect(dashboard.panels.length).toBeGreaterThan(8);
});

test('Prometheus gets the text at /metrics, anything else a 404, and a port in use is an error', async () => {
  await using server = await serveMetrics(await countedRun(), { host: '127.0.0.1', port: 0 });
  const answer = await fetch(server.url);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await answer.text()).toContain('panthalia_outer_steps_total 2');
  expect((await fetch(new URL('/', server.url))).status).toBe(404);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);

  const port = Number(new URL(server.url).port);
  await expect(serveMetrics(await countedRun(), { host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'metrics.not_listening',
    details: { reason: 'EADDRINUSE' },
  });
});

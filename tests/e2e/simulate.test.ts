import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { developmentKey } from '../../src/chain/accounts.js';
import { readJournal } from '../../src/events/journal.js';
import { decodeEvent } from '../../src/events/line.js';
import type { RunSummary } from '../../src/events/summary.js';
import type { StampedEvent } from '../../src/events/types.js';
import { type Finished, processesNaming, startCli, temporaryFolder } from '../helpers/cli.js';
import { isPortFree } from '../helpers/processes.js';

const summaryKeys = [
  ...['schema', 'runId', 'outcome', 'preset', 'opset', 'rounds', 'innerSteps', 'workers', 'tokens', 'loss'],
  ...['finalStateRoot', 'tasks', 'disputes', 'slashed', 'ledger', 'wallSeconds', 'computeSeconds', 'bytes'],
  ...['gas', 'multiplier'],
];

interface Run {
  folder: string;
  finished: Finished;
  events: StampedEvent[];
  summary: RunSummary;
}

/** Every key that signs, and the mnemonic they come from. */
const keys = Array.from({ length: 10 }, (_, index) => developmentKey(index).slice(2));
const secrets = [...keys, 'test test test test'];

async function simulate(...flags: string[]): Promise<Run> {
  return simulateIn(join(temporaryFolder(), 'run'), flags);
}

/** onStart: when the folder is there */
async function simulateIn(folder: string, flags: string[], onStart: () => void = () => {}): Promise<Run> {
  const args = ['simulate', '--preset', 'smoke', '--seed', '7', '--json', '--run-dir', folder, ...flags];
  const cli = startCli(args);
  await cli.event('its start', ({ type }) => type === 'run.started');
  onStart();
  await cli.event('the master', (event) => event.type === 'process.ready' && event.src === 'master');
  const running = processesNaming(folder).join('\n');
  expect(running).toContain('master');
  expect(secrets.filter((secret) => running.includes(secret))).toEqual([]);
  const finished = await cli.finished;
  const events = finished.out.slice(0, -1).map((line) => decodeEvent(line));
  expect(events.filter((event) => event === null)).toEqual([]);
  const summary = JSON.parse(finished.out.at(-1) ?? 'null') as RunSummary;
  return { folder, finished, events: events as StampedEvent[], summary };
}

/** "12.5" -> 12.5 in the token's smallest unit */
function units(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.');
  return BigInt(whole + fraction.padEnd(18, '0'));
}

function expectBalancedLedger({ ledger: { deposited, paid, burned, held } }: RunSummary): void {
  expect(units(paid) + units(burned) + units(held)).toBe(units(deposited));
}

function expectNothingLeft({ folder, events }: Run): void {
  expect(processesNaming(folder)).toEqual([]);
  const started = events.filter((event) => event.type === 'process.started');
  expect(started.length).toBeGreaterThanOrEqual(7);
}

/** In no file of the run, and in nothing that was printed. */
function expectNoSecrets({ folder, finished: { out, err } }: Run): void {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  expect(files.length).toBeGreaterThan(20);
  const told = files
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return [...secrets, ...keys.map((key) => Buffer.from(key, 'hex'))].some((secret) =>
        bytes.includes(secret),
      );
    });
  expect(told).toEqual([]);
  const printed = [...out, ...err].join('\n');
  expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
}

test('an honest run and one with a cheat end in the same bytes, and the cheat has paid for it', async () => {
  const honest = await simulate();
  expect(honest.finished.code).toBe(0);
  expect(Object.keys(honest.summary)).toEqual(summaryKeys);
  expect(honest.summary).toMatchObject({
    schema: 'panthalia-summary/1',
    outcome: 'completed',
    ...{
      preset: 'smoke',
      opset: 'canon-f32-v1',
      rounds: 2,
      innerSteps: 4,
      workers: 4,
      tokens: 2 * 4 * 4 * 4 * 16,
    },
    tasks: { posted: 8, accepted: 8, rejected: 0, expired: 0 },
    disputes: [],
    slashed: {},
  });
  expect(honest.summary.finalStateRoot).toMatch(/^0x[0-9a-f]{64}$/);
  expect(honest.summary.loss.first).toBeCloseTo(Math.log(256), 0);
  expect(honest.summary.multiplier).toBeGreaterThanOrEqual(1);
  expectBalancedLedger(honest.summary);
  expectNothingLeft(honest);
  for (const event of honest.events) {
    if (event.type === 'process.ready' && event.url !== undefined) {
      expect(await isPortFree(Number(new URL(event.url).port))).toBe(true);
    }
  }
  expect(readJournal(join(honest.folder, 'journal.jsonl'))).toEqual(honest.events);
  expect(JSON.parse(readFileSync(join(honest.folder, 'summary.json'), 'utf8'))).toEqual(honest.summary);

  const page = readFileSync(join(honest.folder, 'report.html'), 'utf8');
  expect(page).toContain('The books balance');
  expect(page).toContain('panthalia simulate --preset smoke --seed 7');
  for (const name of ['loss.png', 'loss.csv', 'tasks.csv', 'summary.md']) {
    expect(existsSync(join(honest.folder, name))).toBe(true);
  }

  const cheated = await simulate('--cheat', 'worker_2:zero-delta', '--expect-slashed', 'worker_2');
  expect(cheated.finished.code).toBe(0);
  const { summary } = cheated;
  expect(summary.finalStateRoot).toBe(honest.summary.finalStateRoot);
  expect(summary.disputes).toHaveLength(1);
  expect(summary.disputes[0]).toMatchObject({ step: 0, verdict: 'invalid', rounds: 1, slashed: '100' });
  expect(Object.values(summary.slashed)).toEqual(['100']);
  expect(summary.tasks).toEqual({ posted: 9, accepted: 8, rejected: 1, expired: 0 });
  expectBalancedLedger(summary);
  expectNothingLeft(cheated);

  expectNoSecrets(cheated);
  expect(readFileSync(join(cheated.folder, 'report.html'), 'utf8')).toContain('The books balance');

  // The slot of the rejected task was solved by somebody else.
  const facts = cheated.events.flatMap((event) => (event.type === 'chain.fact' ? [event.fact] : []));
  const rejected = facts.find((fact) => fact.type === 'TaskRejected');
  const disputed = facts.find((fact) => fact.type === 'CaseOpened');
  expect(disputed?.taskId).toBe(rejected?.taskId);
  const slashedAddress = Object.keys(summary.slashed)[0];
  expect(rejected?.solver).toBe(slashedAddress);
  const accepted = facts.filter((fact) => fact.type === 'TaskAccepted');
  expect(accepted.map(({ solver }) => solver)).not.toContain(slashedAddress);
});

test('where nobody looks unasked, every task is checked by draw, and the cheat is caught all the same', async () => {
  const cheat = ['--cheat', 'worker_2:zero-delta', '--expect-slashed', 'worker_2'];
  const run = await simulate('--audit', 'drawn', '--rounds', '1', ...cheat);
  expect(run.finished.code).toBe(0);
  expect(run.summary.tasks).toEqual({ posted: 5, accepted: 4, rejected: 1, expired: 0 });
  expect(Object.values(run.summary.slashed)).toEqual(['100']);
  expectBalancedLedger(run.summary);
  expect(run.events.filter(({ type }) => type === 'audit.finished')).toEqual([]);
  const facts = run.events.flatMap((event) => (event.type === 'chain.fact' ? [event.fact] : []));
  const accepted = facts.flatMap((fact) => (fact.type === 'TaskAccepted' ? [fact.taskId] : []));
  const passed = facts.flatMap((fact) =>
    fact.type === 'CheckClosed' && fact.outcome === 'passed' ? [fact.taskId] : [],
  );
  expect(passed.sort()).toEqual(accepted.sort());
  expect(readFileSync(join(run.folder, 'report.html'), 'utf8')).toContain('The books balance');
});

test('an expectation that is not met ends with 5, and the summary is printed all the same', async () => {
  const folder = join(temporaryFolder(), 'run');
  const flags = ['--rounds', '1', '--workers', '2', '--expect-slashed', 'worker_1'];
  // A report that can not be written changes nothing, and is told.
  const run = await simulateIn(folder, flags, () => mkdirSync(join(folder, 'report.html')));
  expect(run.finished.code).toBe(5);
  expect(run.finished.err.join('\n')).toContain('worker_1 was expected to be slashed and was not.');
  expect(run.summary).toMatchObject({ outcome: 'completed', rounds: 1, workers: 2 });
  const told = run.events.find((event) => event.type === 'alert' && event.code === 'report.not_written');
  expect(told).toMatchObject({ level: 'warn', message: expect.stringContaining('panthalia report run') });
});

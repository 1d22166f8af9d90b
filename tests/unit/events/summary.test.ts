import { expect, test } from 'vitest';
import { formatTokens } from '../../../src/events/amount.js';
import { encodeJson } from '../../../src/events/line.js';
import { emptyRun, project } from '../../../src/events/projection.js';
import { type RunSummary, summarise } from '../../../src/events/summary.js';
import type { PanthaliaEvent, StampedEvent } from '../../../src/events/types.js';
import type { ChainFact } from '../../../src/protocol/facts.js';
import type { Address, Hex32 } from '../../../src/protocol/task.js';
import { pinned } from '../../helpers/facts.js';

const token = 10n ** 18n;
const hash = (byte: string): Hex32 => `0x${byte.repeat(32)}`;
const account = (byte: string): Address => `0x${byte.repeat(20)}`;
const honest = account('a1');
const cheat = account('c2');

/** The facts of the tests, without where they were found. */
type Bare<T> = T extends unknown
  ? Omit<T, 'blockNumber' | 'logIndex' | 'transactionHash' | 'timestamp'>
  : never;

/** A round of two slots: slot 1 is cheated on, disputed, rejected, posted again and solved by somebody else. */
function story(): StampedEvent[] {
  const events: StampedEvent[] = [];
  const tell = (src: string, event: PanthaliaEvent) => {
    const t = new Date(Date.UTC(2026, 0, 1, 0, 0, events.length)).toISOString();
    events.push({ ...event, v: 2, seq: events.length, t, run: 'demo', src });
  };
  const fact = (bare: Bare<ChainFact>) => {
    const at = { blockNumber: events.length, logIndex: 0, transactionHash: hash('00'), timestamp: 0 };
    tell('chain', { type: 'chain.fact', fact: { ...bare, ...at } as ChainFact });
  };
  const batch = (id: string, slots: number[], taskIds: Hex32[]) => {
    const ids = {
      batchId: hash(id),
      salt: 0,
      jobId: hash('10'),
      baseRoot: hash('11'),
      specHash: hash('12'),
    };
    const terms = { innerSteps: 2, buyer: account('b0'), subnetId: 1, paramsVersion: 1, price: 10n * token };
    const times = { epoch: 1, openBy: 9, solveSeconds: 5 };
    fact({ type: 'BatchCreated', ...ids, ...terms, ...times, round: 0, slots, taskIds });
  };
  const solve = (
    src: string,
    solver: Address,
    taskId: Hex32,
    slot: number,
    losses: number[],
    result: string,
  ) => {
    fact({ type: 'TaskAssigned', taskId, solver, attempt: 0, epoch: 2 });
    tell(src, { type: 'task.solving', taskId, round: 0, slot, innerSteps: 2 });
    losses.forEach((loss, i) => {
      const step = { round: 0, slot, step: i + 1, innerSteps: 2, loss, gradientNorm: 1, milliseconds: 5 };
      tell(src, { type: 'train.step', taskId, ...step });
    });
    const solved = { round: 0, slot, resultRoot: hash(result), loss: losses[1] ?? 0, computeSeconds: 2 };
    tell(src, { type: 'task.solved', taskId, ...solved });
    const submission = { traceRoot: hash('77'), resultRoot: hash(result), leavesBlob: hash('78') };
    fact({ type: 'TaskSubmitted', taskId, solver, ...submission, challengeBy: 99 });
  };
  const options = { workers: 2 };
  const manifest = { preset: 'smoke', opset: 'torch', innerSteps: 2, batch: { rows: 4, tokens: 16 } };
  tell('simulate', { type: 'run.started', manifest, options });
  fact({ type: 'Deposited', account: honest, amount: 1000n * token });
  batch('20', [0, 1], [hash('30'), hash('31')]);
  solve('worker_0', honest, hash('30'), 0, [5, 4], '40');
  solve('worker_1', cheat, hash('31'), 1, [9, 9], '41');
  fact({ type: 'TaskAccepted', taskId: hash('30'), solver: honest });
  tell('worker_0', { type: 'audit.finished', taskId: hash('31'), firstWrongStep: 0, computeSeconds: 1 });
  fact({ type: 'CaseOpened', taskId: hash('31'), caseId: hash('31'), disputer: honest, step: 0, ...pinned });
  fact({
    type: 'RoundOpened',
    caseId: hash('31'),
    round: 1,
    size: 3,
    payer: honest,
    fee: 30n * token,
    epoch: 3,
  });
  tell('worker_0', {
    type: 'vote.computed',
    taskId: hash('31'),
    caseId: hash('31'),
    steps: 1,
    round: 1,
    seat: 0,
    verdict: 'invalid',
    computeSeconds: 1,
  });
  fact({
    type: 'SeatSlashed',
    subnetId: 1,
    role: 'solver',
    account: cheat,
    amount: 100n * token,
    caseId: hash('31'),
  });
  fact({ type: 'CaseSettled', caseId: hash('31'), verdict: 'invalid', rounds: 1, burned: 30n * token });
  fact({ type: 'Burned', amount: 30n * token });
  fact({ type: 'TaskRejected', taskId: hash('31'), solver: cheat });
  batch('21', [1], [hash('32')]);
  solve('worker_0', honest, hash('32'), 1, [6, 3], '42');
  fact({ type: 'TaskAccepted', taskId: hash('32'), solver: honest });
  tell('worker_0', { type: 'blob.pushed', blob: hash('42'), sizeBytes: 100, seconds: 1 });
  tell('worker_0', { type: 'blob.pulled', blob: hash('42'), sizeBytes: 50, seconds: 1 });
  tell('worker_0', { type: 'transaction.sent', what: 'submit', hash: hash('01'), gasUsed: 90_001n });
  tell('sot', {
    type: 'outer.step',
    round: 0,
    stateRoot: hash('50'),
    parameters: hash('51'),
    validationLoss: 3.5,
  });
  tell('simulate', { type: 'run.ended', outcome: 'completed' });
  return events;
}

test('the summary counts what was accepted, disputed, slashed and spent', () => {
  const view = story().reduce(project, emptyRun());
  const expected: RunSummary = {
    schema: 'panthalia-summary/1',
    runId: 'demo',
    outcome: 'completed',
    preset: 'smoke',
    opset: 'torch',
    rounds: 1,
    innerSteps: 2,
    workers: 2,
    tokens: 2 * 2 * 4 * 16,
    loss: { first: 5.5, last: 3.5, validation: 3.5 },
    finalStateRoot: hash('50'),
    tasks: { posted: 3, accepted: 2, rejected: 1, expired: 0 },
    disputes: [{ taskId: hash('31'), step: 0, verdict: 'invalid', rounds: 1, slashed: '100' }],
    slashed: { [cheat]: '100' },
    ledger: { deposited: '1000', paid: '0', burned: '30', held: '970' },
    wallSeconds: 36,
    computeSeconds: 8,
    bytes: { up: 100, down: 50 },
    gas: { total: 90_001, perTask: 45_001 },
    multiplier: 2,
  };
  expect(summarise(view, 970n * token)).toEqual(expected);
});

test('the summary of a run that did nothing is valid JSON without a NaN', () => {
  const summary = summarise(emptyRun(), 0n);
  expect(summary.loss).toEqual({ first: null, last: null, validation: null });
  expect(summary.multiplier).toBeNull();
  expect(JSON.parse(encodeJson(summary))).toEqual(summary);
});

test('a solver that starts a task again after a restart is counted once', () => {
  const events = story().filter(({ src }) => src === 'worker_0');
  const solving = events.filter(({ type }) => ['task.solving', 'train.step'].includes(type)).slice(0, 2);
  const view = [...solving, ...events].reduce(project, emptyRun());
  expect(view.solvings.get(`worker_0/${hash('30')}`)?.losses).toEqual([5, 4]);
});

test('folding does not change what came before', () => {
  const events = story();
  const halfway = events.slice(0, 12).reduce(project, emptyRun());
  const copy = structuredClone(halfway);
  events.slice(12).reduce(project, halfway);
  expect(halfway).toEqual(copy);
});

test.each([
  [0n, '0'],
  [1n, '0.000000000000000001'],
  [12_500_000_000_000_000_000n, '12.5'],
  [-3n * token, '-3'],
  [10_000n * token, '10000'],
])('%s units are %s tokens', (amount, text) => expect(formatTokens(amount)).toBe(text));

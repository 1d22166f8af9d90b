import { expect, test } from 'vitest';
import { linesOf } from '../../../src/dashboard/lineLog.js';
import { pointsOf } from '../../../src/dashboard/lossCurve.js';
import { taskLoad } from '../../../src/dashboard/market.js';
import { type DashboardModel, emptyModel, processList, reduce } from '../../../src/dashboard/model.js';
import { activityOf } from '../../../src/dashboard/process.js';
import type { StampedEvent } from '../../../src/events/types.js';
import { pinned } from '../../helpers/facts.js';
import { countUntil, isFact, recordedEvents, stamper } from '../../helpers/recordedRun.js';

const events = recordedEvents();
const pan = 10n ** 18n;

function after(ask: (event: StampedEvent) => boolean): DashboardModel {
  return events.slice(0, countUntil(events, ask)).reduce(reduce, emptyModel());
}

function activities(model: DashboardModel): Record<string, string> {
  return Object.fromEntries(processList(model).map((process) => [process.name, activityOf(process)]));
}

const whole = events.reduce(reduce, emptyModel());

test('the list has workers by number, then the rest by name', () => {
  expect(processList(whole).map(({ name }) => name)).toEqual([
    ...['worker_0', 'worker_1', 'worker_2', 'worker_3', 'anvil', 'master', 'sot'],
  ]);
  const stamp = stamper();
  const many = ['worker_10', 'worker_9', 'sot'].map((process) =>
    stamp('simulate', { type: 'process.started', process, pid: 1 }),
  );
  const names = processList(many.reduce(reduce, emptyModel())).map(({ name }) => name);
  expect(names).toEqual(['worker_9', 'worker_10', 'sot']);
});

test('a run with a cheat comes to what its summary says', () => {
  const { counts, staked, slashed, burned } = whole.market;
  expect(counts).toEqual({
    ...{ posted: 9, submitted: 9, accepted: 8, rejected: 1, late: 0, gone: 0 },
    ...{ disputed: 1, upheld: 1, lost: 0, drawn: 0, passed: 0, convicted: 0 },
  });
  expect([staked, slashed, burned]).toEqual([940n * pan, 100n * pan, 30n * pan]);
  expect(whole.audits).toEqual({ right: 8, wrong: 1 });
  expect([whole.version, whole.outcome]).toEqual([2, 'completed']);
  expect(whole.validationLoss).toBeCloseTo(4.288546, 6);
  expect(whole.facts).toMatchObject({ preset: 'smoke', opset: 'torch', rounds: 2, tokensPerStep: 64 });
  expect([...whole.market.disputes.values()]).toMatchObject([
    {
      verdict: 'invalid',
      slashed: 100n * pan,
      panels: [{ size: 3, fee: 30n * pan, ruling: 'invalid', votes: [{}, {}, {}] }],
    },
  ]);
});

test('each process says what it does, from its own events and from what the chain says about it', () => {
  const starting = after((e) => e.type === 'process.started' && e.process === 'worker_3');
  expect(activities(starting)).toMatchObject({ anvil: 'running', sot: 'running', worker_3: 'staking' });
  expect(activities(after(({ type }) => type === 'task.solving'))).toMatchObject({ master: 'running' });
  expect(Object.values(activities(after(({ type }) => type === 'task.solving')))).toContain('download');
  const training = after((event) => event.type === 'train.step' && event.step === 1);
  expect(Object.values(activities(training))).toContain('train');
  const pushing = after((event) => event.type === 'train.step' && event.step === event.innerSteps);
  expect(Object.values(activities(pushing))).toContain('upload');
  expect(Object.values(activities(after(({ type }) => type === 'audit.started')))).toContain('verify');
  const voting = after((event) => isFact(event, 'VotingOpened'));
  expect(activities(voting)).toMatchObject({ worker_0: 'verify', worker_1: 'idle', worker_3: 'verify' });
  const settled = after((event) => isFact(event, 'CaseSettled'));
  expect(activities(settled).worker_2).toBe('slashed');
  expect(settled.banner).toMatchObject({ level: 'warn' });
});

test('at the end nobody is dead: processes that were told to stop have ended', () => {
  const last = activities(whole);
  expect(last).toEqual({
    ...{ worker_0: 'ended', worker_1: 'ended', worker_2: 'slashed', worker_3: 'ended' },
    ...{ anvil: 'ended', master: 'ended', sot: 'ended' },
  });
});

test('a process that is killed is dead, and lives again when it is started again', () => {
  const stamp = stamper();
  const started = () => stamp('simulate', { type: 'process.started', process: 'sot', pid: 7 });
  const killed = [
    started(),
    stamp('sot', { type: 'process.ready', process: 'sot' }),
    stamp('simulate', { type: 'process.exited', process: 'sot', code: null, signal: 'SIGKILL' }),
  ].reduce(reduce, emptyModel());
  expect(activities(killed)).toEqual({ sot: 'dead' });
  const again = reduce(killed, started());
  expect([activities(again).sot, processList(again)[0]?.restarts]).toEqual(['starting', 1]);
});

test('an idle worker has a reason and a beginning', () => {
  const idle = after((event) => event.type === 'process.ready' && event.src === 'worker_0');
  const worker = processList(idle).find((process) => activityOf(process) === 'idle');
  expect(worker).toMatchObject({ idleReason: 'waiting to be drawn', sinceMs: idle.timeMs });
});

test('model: assigned/active counts the tasks that wait for a result', () => {
  expect(taskLoad(after((event) => isFact(event, 'BatchCreated')).market)).toEqual({
    assigned: 0,
    active: 4,
  });
  expect(taskLoad(after((event) => isFact(event, 'TaskAssigned')).market)).toEqual({
    assigned: 1,
    active: 4,
  });
  expect(taskLoad(whole.market)).toEqual({ assigned: 0, active: 0 });
});

test('the curve is the mean training loss by position in the run', () => {
  const points = pointsOf(whole.curve);
  expect(points.map(([x]) => x)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const first = events.filter((e) => e.type === 'train.step' && e.round === 0 && e.step === 1);
  const mean = first.reduce((sum, e) => sum + (e.type === 'train.step' ? e.loss : 0), 0) / first.length;
  expect(points[0]?.[1]).toBeCloseTo(mean, 12);
});

test('what the chain says about an account stands in the log of its process', () => {
  const worker = whole.processes.get('worker_2');
  const texts = linesOf(worker?.log ?? { dropped: 0, chunks: [], total: 0 }).map(({ text }) => text);
  expect(texts).toContain('worker_2 is slashed 100');
  expect(texts.some((text) => text.startsWith('misbehaves on task'))).toBe(true);
});

test('folding an event leaves the model before it as it was', () => {
  const half = events.slice(0, 150).reduce(reduce, emptyModel());
  const copy = structuredClone(half);
  events.slice(150).reduce(reduce, half);
  expect(half).toEqual(copy);
});

test('30,000 events leave no more behind than a few thousand (bench/dashboard.mjs measures 100,000)', () => {
  const stamp = stamper();
  const size = (model: DashboardModel) => {
    const logs = [...model.processes.values()].map(({ log }) => linesOf(log).length);
    return {
      logs,
      feed: linesOf(model.feed).length,
      curve: model.curve.buckets.length,
      tasks: model.market.tasks.size,
    };
  };
  const h = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as const;
  const fact = (n: number, bare: object) => {
    const at = { blockNumber: n, logIndex: 0, transactionHash: h(0), timestamp: n };
    return stamp('chain', { type: 'chain.fact', fact: { ...bare, ...at } as never });
  };
  const life = (n: number): StampedEvent[] => {
    const step = {
      taskId: h(n),
      round: n,
      slot: 0,
      step: 1,
      innerSteps: 1,
      loss: 4,
      gradientNorm: 1,
      milliseconds: 1,
    };
    const solver = `0x${'1'.repeat(40)}`;
    return [
      fact(n, { type: 'BatchCreated', taskIds: [h(n)], slots: [0], round: n, price: 10n }),
      fact(n, { type: 'TaskAssigned', taskId: h(n), solver, attempt: 1 }),
      stamp('worker_0', { type: 'process.log', process: 'worker_0', line: `step ${n}` }),
      stamp('worker_0', { type: 'train.step', ...step }),
      fact(n, { type: 'TaskSubmitted', taskId: h(n), solver }),
      fact(n, { type: 'CaseOpened', taskId: h(n), caseId: h(n), disputer: solver, step: 0, ...pinned }),
      fact(n, { type: 'RoundOpened', caseId: h(n), round: 1, size: 3, fee: 30n }),
      fact(n, { type: 'CaseSettled', caseId: h(n), verdict: 'valid', rounds: 1, burned: 0n }),
      fact(n, { type: 'TaskAccepted', taskId: h(n), solver }),
      stamp('worker_0', { type: 'worker.idle', reason: 'waiting to be drawn' }),
    ];
  };
  let model = emptyModel();
  const sizes = [];
  for (let n = 0; n < 3_000; n++) {
    model = life(n).reduce(reduce, model);
    if (n === 2_999) sizes.push(size(model));
  }
  expect(model.market.counts.accepted).toBe(3_000);
  expect(sizes[0]?.logs.every((lines) => lines <= 2000 + 2 * 64)).toBe(true);
  expect(sizes[0]?.curve).toBeLessThanOrEqual(1024);
  expect(sizes[0]?.tasks).toBeLessThanOrEqual(64);
  expect(model.market.disputes.size).toBeLessThanOrEqual(32);
  expect(sizes[0]?.feed).toBeLessThanOrEqual(500 + 2 * 64);
}, 30_000);

test('what a child prints can not draw on the screen', () => {
  const stamp = stamper();
  const nasty = '\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[0m\rback\x9b2J \u202eevil';
  const model = [
    stamp('simulate', { type: 'process.started', process: 'sot', pid: 1 }),
    stamp('sot', { type: 'process.log', process: 'sot', line: nasty }),
    stamp('sot', { type: 'process.log', process: 'sot', line: 'x'.repeat(1e6) }),
  ].reduce(reduce, emptyModel());
  const lines = linesOf(model.processes.get('sot')?.log ?? { dropped: 0, chunks: [], total: 0 });
  expect(lines.map(({ text }) => text.slice(0, 20)).slice(1)).toEqual(['redback evil', 'x'.repeat(20)]);
  expect(lines.at(-1)?.text.length).toBe(1000);
});

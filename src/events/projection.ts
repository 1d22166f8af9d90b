/** A run as one value, folded from its events. Pure; the only source for screens, status and summaries. */
import type { ChainFact } from '../protocol/facts.js';
import { applyFact } from '../protocol/market.js';
import { emptyMarket, type MarketView } from '../protocol/marketView.js';
import type { Hex32, RunManifest } from '../protocol/task.js';
import type { StampedEvent } from './types.js';

export interface SolvingView {
  round: number;
  slot: number;
  /** inner steps finished and their losses in nats per token, in order */
  losses: number[];
  innerSteps: number;
  resultRoot: Hex32 | null;
  computeSeconds: number;
}

export interface ProcessView {
  pid: number;
  state: 'starting' | 'ready' | 'exited';
  url: string | null;
  restarts: number;
}

export interface OuterStepView {
  round: number;
  stateRoot: Hex32;
  parameters: Hex32;
  validationLoss: number;
}

export interface RunView {
  run: string;
  manifest: RunManifest | null;
  workers: number;
  /** ISO-8601 */
  startedAt: string | null;
  endedAt: string | null;
  outcome: string | null;
  processes: ReadonlyMap<string, ProcessView>;
  market: MarketView;
  /** what verifiers' seats lost for good, by case */
  slashedByCase: ReadonlyMap<Hex32, bigint>;
  /** what the newest solver of a task lost of its seat, by task */
  slashedByTask: ReadonlyMap<Hex32, bigint>;
  /** by solver process and task, since a task that was rejected or reopened is solved again */
  solvings: ReadonlyMap<string, SolvingView>;
  outerSteps: readonly OuterStepView[];
  /** of audits and votes */
  checkSeconds: number;
  pushedBytes: number;
  pulledBytes: number;
  gasUsed: bigint;
}

export function emptyRun(): RunView {
  return {
    run: '',
    manifest: null,
    workers: 0,
    startedAt: null,
    endedAt: null,
    outcome: null,
    processes: new Map(),
    market: emptyMarket(),
    slashedByCase: new Map(),
    slashedByTask: new Map(),
    solvings: new Map(),
    outerSteps: [],
    checkSeconds: 0,
    pushedBytes: 0,
    pulledBytes: 0,
    gasUsed: 0n,
  };
}

/** The view after one more event; the input is not changed. Events that change nothing give the same view back. */
export function project(view: RunView, event: StampedEvent): RunView {
  switch (event.type) {
    case 'run.started':
      return {
        ...view,
        run: event.run,
        startedAt: event.t,
        manifest: event.manifest as RunManifest,
        workers: Number(event.options.workers ?? 0),
      };
    case 'run.ended':
      return { ...view, endedAt: event.t, outcome: event.outcome };
    case 'process.started':
    case 'process.ready':
    case 'process.exited':
      return { ...view, processes: withProcess(view.processes, event) };
    case 'chain.fact':
      return {
        ...view,
        market: applyFact(view.market, event.fact),
        ...slashesAfter(view, event.fact),
      };
    case 'transaction.sent':
      return { ...view, gasUsed: view.gasUsed + event.gasUsed };
    case 'task.solving':
    case 'train.step':
    case 'task.solved':
      return { ...view, solvings: withSolving(view.solvings, event) };
    case 'audit.finished':
    case 'check.computed':
    case 'vote.computed':
      return { ...view, checkSeconds: view.checkSeconds + event.computeSeconds };
    case 'blob.pushed':
      return { ...view, pushedBytes: view.pushedBytes + event.sizeBytes };
    case 'blob.pulled':
      return { ...view, pulledBytes: view.pulledBytes + event.sizeBytes };
    case 'outer.step':
      return { ...view, outerSteps: withOuterStep(view.outerSteps, event) };
    case 'process.log':
    case 'chain.deployed':
    case 'chain.terms':
    case 'audit.started':
    case 'round.opened':
    case 'round.closed':
    case 'vault.counted':
    case 'worker.idle':
    case 'fault.injected':
    case 'alert':
    case 'heartbeat':
      return view;
    default:
      return event satisfies never;
  }
}

type Event<T extends StampedEvent['type']> = Extract<StampedEvent, { type: T }>;

function withProcess(
  processes: RunView['processes'],
  event: Event<'process.started' | 'process.ready' | 'process.exited'>,
): RunView['processes'] {
  const known = processes.get(event.process);
  return new Map(processes).set(event.process, nextProcess(known, event));
}

function nextProcess(
  known: ProcessView | undefined,
  event: Event<'process.started' | 'process.ready' | 'process.exited'>,
): ProcessView {
  if (event.type === 'process.started') {
    return {
      pid: event.pid,
      state: 'starting',
      url: null,
      restarts: known === undefined ? 0 : known.restarts + 1,
    };
  }
  const process = known ?? { pid: 0, url: null, restarts: 0 };
  if (event.type === 'process.exited') return { ...process, state: 'exited' };
  return { ...process, state: 'ready', url: event.url ?? null };
}

function slashesAfter(
  { slashedByCase, slashedByTask }: RunView,
  fact: ChainFact,
): Pick<RunView, 'slashedByCase' | 'slashedByTask'> {
  if (fact.type !== 'SeatSlashed') return { slashedByCase, slashedByTask };
  const { role, caseId: id, amount } = fact;
  // A solver's seat is taken by the market, which names the task; the next attempt is another seat.
  if (role === 'solver') return { slashedByCase, slashedByTask: new Map(slashedByTask).set(id, amount) };
  const lost = (slashedByCase.get(id) ?? 0n) + amount;
  return { slashedByCase: new Map(slashedByCase).set(id, lost), slashedByTask };
}

/** One entry per solver and task. */
export function solvingKey(src: string, taskId: Hex32): string {
  return `${src}/${taskId}`;
}

function withSolving(
  solvings: RunView['solvings'],
  event: Event<'task.solving' | 'train.step' | 'task.solved'>,
): RunView['solvings'] {
  const { round, slot } = event;
  const key = solvingKey(event.src, event.taskId);
  const fresh: SolvingView = { round, slot, losses: [], innerSteps: 0, resultRoot: null, computeSeconds: 0 };
  const known = solvings.get(key) ?? fresh;
  const next = () => {
    // A worker that was restarted solves again from the start.
    if (event.type === 'task.solving') return { ...fresh, innerSteps: event.innerSteps };
    if (event.type === 'train.step') return { ...known, losses: [...known.losses, event.loss] };
    return { ...known, resultRoot: event.resultRoot, computeSeconds: event.computeSeconds };
  };
  return new Map(solvings).set(key, next());
}

/** A SOT that was restarted from its journal may tell the same step again. */
function withOuterStep(steps: RunView['outerSteps'], event: Event<'outer.step'>): RunView['outerSteps'] {
  const { round, stateRoot, parameters, validationLoss } = event;
  const others = steps.filter((step) => step.round !== round);
  return [...others, { round, stateRoot, parameters, validationLoss }].sort((a, b) => a.round - b.round);
}

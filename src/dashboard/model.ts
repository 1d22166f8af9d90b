/** All that the screens show of a run, folded from its events. Pure, and bounded however long the run. */
import { describe } from '../events/describe.js';
import type { Level, StampedEvent } from '../events/types.js';
import { duration } from './format.js';
import { harmless } from './harmless.js';
import { appendLine, emptyLog, type Line, type LineLog } from './lineLog.js';
import { addLoss, emptyCurve, type LossCurve } from './lossCurve.js';
import { afterFact, emptyMarket, type Fact, type MarketModel } from './market.js';
import { activityOf, afterOwnEvent, newProcess, type ProcessModel } from './process.js';

export interface RunFacts {
  run: string;
  preset: string;
  opset: string;
  rounds: number;
  innerSteps: number;
  tokensPerStep: number;
  /** of the network, about: 12 C^2 per layer and the embeddings */
  parameters: number;
}

export interface Banner {
  level: Level;
  text: string;
  /** unix milliseconds */
  timeMs: number;
}

export interface DashboardModel {
  facts: RunFacts;
  /** unix milliseconds; null before the run starts, and until it ends */
  startedMs: number | null;
  endedMs: number | null;
  outcome: string | null;
  /** of the last event, unix milliseconds; 0 before the first */
  timeMs: number;
  /** by name */
  processes: ReadonlyMap<string, ProcessModel>;
  market: MarketModel;
  curve: LossCurve;
  /** the newest training loss, nats per token */
  latestLoss: number | null;
  /** after the last outer step */
  validationLoss: number | null;
  /** outer steps done */
  version: number;
  /** when the last of them was done, unix milliseconds; null before the first */
  versionMs: number | null;
  /** the inner step of the run that somebody has reached: round * innerSteps + step */
  position: number;
  audits: { right: number; wrong: number };
  transactions: number;
  gasUsed: bigint;
  /** what happened on the market and to the run */
  feed: LineLog;
  /** the last thing that somebody should know */
  banner: Banner | null;
  /** address -> process */
  names: ReadonlyMap<string, string>;
}

const logLines = 2000;
const feedLines = 500;
/** The files keep whole lines. */
const lineCharacters = 1000;

export function emptyModel(): DashboardModel {
  return {
    facts: {
      ...{ run: '', preset: '', opset: '', rounds: 0, innerSteps: 0 },
      ...{ tokensPerStep: 0, parameters: 0 },
    },
    ...{ startedMs: null, endedMs: null, outcome: null, timeMs: 0 },
    processes: new Map(),
    market: emptyMarket,
    curve: emptyCurve,
    ...{ latestLoss: null, validationLoss: null, version: 0, versionMs: null, position: 0 },
    audits: { right: 0, wrong: 0 },
    ...{ transactions: 0, gasUsed: 0n },
    feed: emptyLog,
    banner: null,
    names: new Map(),
  };
}

/** The model after one more event; the input is not changed. */
export function reduce(before: DashboardModel, event: StampedEvent): DashboardModel {
  const timeMs = Date.parse(event.t) || before.timeMs;
  const model = afterRunEvent({ ...before, timeMs }, event);
  const { level, text } = describe(event, model.names as Parameters<typeof describe>[1]);
  const line: Line = { timeMs, src: event.src, level, text: harmless(text).slice(0, lineCharacters) };
  return withLines(withProcesses(model, event), event, line);
}

/** How long the rest of the rounds takes at the pace of those that are done; 0 when they are late, null before the first and at the end. */
export function remainingMs(model: DashboardModel, nowMs: number): number | null {
  const { startedMs, endedMs, version, versionMs, facts } = model;
  if (startedMs === null || versionMs === null || endedMs !== null) return null;
  const roundMs = (versionMs - startedMs) / version;
  return Math.max(0, startedMs + roundMs * facts.rounds - nowMs);
}

/** So long without an event in a run that has not ended, and something is wrong. */
const silenceMs = 30_000;

/** What is to be said of a run that says nothing; null while it does, before it has begun and when it is over. */
export function silenceOf({ endedMs, timeMs }: DashboardModel, nowMs: number): string | null {
  if (endedMs !== null || timeMs === 0 || nowMs - timeMs <= silenceMs) return null;
  return `No event for ${duration(nowMs - timeMs)}: the run is stuck, or gone.`;
}

/** Workers by number, then the rest by name, as in the paper's list. */
export function processList({ processes }: DashboardModel): ProcessModel[] {
  const order = new Intl.Collator('en', { numeric: true });
  return [...processes.values()].sort(
    (a, b) => Number(b.isWorker) - Number(a.isWorker) || order.compare(a.name, b.name),
  );
}

function afterRunEvent(model: DashboardModel, event: StampedEvent): DashboardModel {
  switch (event.type) {
    case 'run.started': {
      const accounts = (event.options.accounts ?? {}) as Record<string, string>;
      const names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
      return { ...model, facts: factsOf(event), names, startedMs: model.timeMs };
    }
    case 'run.ended':
      return { ...model, endedMs: model.timeMs, outcome: event.outcome };
    case 'chain.fact':
      return { ...model, market: afterFact(model.market, event.fact) };
    case 'transaction.sent':
      return {
        ...model,
        transactions: model.transactions + 1,
        gasUsed: model.gasUsed + BigInt(event.gasUsed),
      };
    case 'train.step': {
      const position = event.round * event.innerSteps + event.step - 1;
      return {
        ...model,
        latestLoss: event.loss,
        position: Math.max(model.position, position + 1),
        curve: addLoss(model.curve, position, event.loss),
      };
    }
    case 'audit.finished':
    case 'check.computed': {
      const { right, wrong } = model.audits;
      const isRight = event.firstWrongStep === null;
      return { ...model, audits: { right: right + (isRight ? 1 : 0), wrong: wrong + (isRight ? 0 : 1) } };
    }
    case 'outer.step':
      return {
        ...model,
        validationLoss: event.validationLoss,
        version: Math.max(model.version, event.round + 1),
        versionMs: model.timeMs,
      };
    default:
      return model;
  }
}

function factsOf(event: Extract<StampedEvent, { type: 'run.started' }>): RunFacts {
  const manifest = event.manifest as {
    preset: string;
    opset: string;
    rounds: number;
    innerSteps: number;
    batch: { rows: number; tokens: number };
    model: { vocabSize: number; blockSize: number; layers: number; width: number };
  };
  const { preset, opset, rounds, innerSteps, batch, model } = manifest;
  const { vocabSize, blockSize, layers, width } = model;
  const parameters = (vocabSize + blockSize) * width + 12 * layers * width * width;
  const tokensPerStep = batch.rows * batch.tokens;
  return { run: event.run, preset, opset, rounds, innerSteps, tokensPerStep, parameters };
}

function withProcesses(model: DashboardModel, event: StampedEvent): DashboardModel {
  if (event.type === 'chain.fact') return withMoney(model, event.fact);
  const name = ownerOf(event);
  if (name === null) return model;
  const { timeMs, processes, facts } = model;
  const process = afterOwnEvent(processes.get(name) ?? newProcess(name, timeMs), event, {
    timeMs,
    tokensPerStep: facts.tokensPerStep,
    isEnding: model.endedMs !== null,
  });
  return { ...model, processes: new Map(processes).set(name, process) };
}

/** Whose list entry an event is about; null for the run itself. */
function ownerOf(event: StampedEvent): string | null {
  if ('process' in event && event.src === 'simulate') return event.process;
  return event.src === 'simulate' || event.src === 'chain' ? null : event.src;
}

/** What the chain says about accounts is said about the processes that own them. */
function withMoney(model: DashboardModel, fact: Fact): DashboardModel {
  switch (fact.type) {
    case 'SeatsStaked':
      return change(model, fact.account, (p) => ({ staked: p.staked + fact.amount }));
    case 'StakeWithdrawn':
      return change(model, fact.account, (p) => ({ staked: p.staked - fact.amount }));
    case 'SeatSlashed':
      return change(model, fact.account, (p) => ({
        staked: p.staked - fact.amount,
        slashed: p.slashed + fact.amount,
      }));
    case 'TaskSubmitted':
      return change(model, fact.solver, (p) => ({
        solving: p.solving?.taskId === fact.taskId ? null : p.solving,
      }));
    case 'PositionJailed':
      return change(model, fact.account, () => ({ isJailed: true }));
    case 'TaskAccepted': {
      const price = model.market.tasks.get(fact.taskId)?.price ?? 0n;
      return change(model, fact.solver, (p) => ({ earned: p.earned + price }));
    }
    case 'CheckClosed':
      return change(model, fact.checker, (p) => ({ earned: p.earned + fact.paid }));
    case 'SeatClosed':
      return change(model, fact.voter, (p) => ({ earned: p.earned + fact.paid }));
    case 'SeatDrawn':
      return change(model, fact.voter, (p) => ({ checking: [...new Set([...p.checking, fact.caseId])] }));
    case 'RoundRuled':
    case 'CaseSettled':
    case 'CaseMoot':
      // Whoever was absent is not verifying any more.
      return [...model.names.keys()].reduce(
        (all, account) =>
          change(all, account, (p) => ({ checking: p.checking.filter((taskId) => taskId !== fact.caseId) })),
        model,
      );
    default:
      return model;
  }
}

function change(
  model: DashboardModel,
  account: string,
  by: (process: ProcessModel) => Partial<ProcessModel>,
): DashboardModel {
  const name = model.names.get(account);
  const process = name === undefined ? undefined : model.processes.get(name);
  if (name === undefined || process === undefined) return model;
  const next = { ...process, ...by(process) };
  const sinceMs = activityOf(next) === activityOf(process) ? process.sinceMs : model.timeMs;
  return { ...model, processes: new Map(model.processes).set(name, { ...next, sinceMs }) };
}

/** Where an event is written: the log of its process, the logs of those it is about, the feed, the banner. */
function withLines(model: DashboardModel, event: StampedEvent, line: Line): DashboardModel {
  const readers = new Set(readersOf(model, event));
  const processes = new Map(model.processes);
  for (const name of readers) {
    const process = processes.get(name);
    if (process !== undefined) {
      processes.set(name, { ...process, log: appendLine(process.log, line, logLines) });
    }
  }
  const isNews = isForFeed(event, line.level);
  const { level, text, timeMs } = line;
  const isAlarm = level === 'warn' || level === 'error';
  const banner = isAlarm && isNews ? { level, text: bannerText(event, text), timeMs } : model.banner;
  return { ...model, processes, banner, feed: isNews ? appendLine(model.feed, line, feedLines) : model.feed };
}

function bannerText(event: StampedEvent, text: string): string {
  return event.src === 'chain' || event.src === 'simulate' ? text : `${event.src}: ${text}`;
}

function readersOf(model: DashboardModel, event: StampedEvent): string[] {
  if (event.type === 'chain.fact')
    return ['anvil', ...accountsIn(event.fact).map((a) => model.names.get(a) ?? '')];
  if (event.type === 'chain.deployed') return ['anvil'];
  const owner = ownerOf(event);
  if (owner !== null) return [owner];
  // An alert of the run names the process it is about.
  if (event.type === 'alert')
    return [...model.processes.keys()].filter((name) => event.message.includes(name));
  return [];
}

function accountsIn(fact: Fact): string[] {
  const fields = fact as {
    account?: string;
    solver?: string;
    voter?: string;
    disputer?: string;
    buyer?: string;
  };
  return [fields.account, fields.solver, fields.voter, fields.disputer, fields.buyer].filter(
    (account) => account !== undefined,
  );
}

function isForFeed(event: StampedEvent, level: Level): boolean {
  if (level === 'warn' || level === 'error') return true;
  if (event.type === 'chain.fact') return level !== 'debug';
  return ['run.started', 'run.ended', 'round.opened', 'round.closed', 'outer.step'].includes(event.type);
}

/** One process of a run, as far as its own events and the chain's tell. Pure. */
import type { StampedEvent } from '../events/types.js';
import { emptyLog, type LineLog } from './lineLog.js';

/** What a process is doing, in one word. */
export type Activity =
  | 'starting'
  | 'staking'
  | 'idle'
  | 'download'
  | 'train'
  | 'upload'
  | 'verify'
  | 'running'
  | 'slashed'
  | 'ended'
  | 'dead';

export interface ProcessModel {
  name: string;
  isWorker: boolean;
  pid: number | null;
  life: 'starting' | 'ready' | 'ended' | 'dead';
  restarts: number;
  url: string | null;
  /** the task it solves */
  solving: Solving | null;
  /** tasks it re-executes, as auditor or in a panel */
  checking: readonly string[];
  /** why it has nothing to do */
  idleReason: string | null;
  /** unix milliseconds: since when it does what it does */
  sinceMs: number;
  /** unix milliseconds of its last own event */
  lastEventMs: number;
  /** of the last inner step, nats per token */
  loss: number | null;
  /** trained per second, smoothed; null before the first step */
  tokensPerSec: number | null;
  /** what it has at risk now, and lost, and was paid for tasks, checks and seats; token units */
  staked: bigint;
  slashed: bigint;
  earned: bigint;
  /** no longer drawn */
  isJailed: boolean;
  /** the last fault it was told to commit */
  fault: string | null;
  sentBytes: number;
  receivedBytes: number;
  log: LineLog;
}

export interface Solving {
  taskId: string;
  phase: 'download' | 'train' | 'upload';
  /** inner steps done */
  step: number;
  innerSteps: number;
}

export function newProcess(name: string, timeMs: number): ProcessModel {
  return {
    name,
    isWorker: name.startsWith('worker'),
    pid: null,
    life: 'starting',
    restarts: -1,
    url: null,
    solving: null,
    checking: [],
    idleReason: null,
    sinceMs: timeMs,
    lastEventMs: timeMs,
    loss: null,
    tokensPerSec: null,
    staked: 0n,
    slashed: 0n,
    earned: 0n,
    isJailed: false,
    fault: null,
    sentBytes: 0,
    receivedBytes: 0,
    log: emptyLog,
  };
}

/** Verifying goes before solving, as it does in the engine; a conviction before everything but the end. */
export function activityOf(process: ProcessModel): Activity {
  const { life, isWorker, solving, checking, slashed, isJailed } = process;
  if (life === 'dead') return 'dead';
  if (checking.length > 0) return 'verify';
  if (isJailed || slashed > 0n) return 'slashed';
  if (life === 'ended') return 'ended';
  if (life === 'starting') return isWorker ? 'staking' : 'starting';
  if (solving !== null) return solving.phase;
  return isWorker ? 'idle' : 'running';
}

/** How much the newest step counts in the smoothed speed. */
const newestWeight = 0.2;

/** The process after one of its own events.  tokensPerStep: of a batch */
export function afterOwnEvent(
  process: ProcessModel,
  event: StampedEvent,
  { timeMs, tokensPerStep, isEnding }: { timeMs: number; tokensPerStep: number; isEnding: boolean },
): ProcessModel {
  const next = { ...process, ...changeBy(process, event, { tokensPerStep, isEnding }), lastEventMs: timeMs };
  return activityOf(next) === activityOf(process) ? next : { ...next, sinceMs: timeMs };
}

function changeBy(
  process: ProcessModel,
  event: StampedEvent,
  { tokensPerStep, isEnding }: { tokensPerStep: number; isEnding: boolean },
): Partial<ProcessModel> {
  switch (event.type) {
    case 'process.started':
      return {
        ...{ pid: event.pid, life: 'starting', restarts: process.restarts + 1, url: null },
        ...{ solving: null, checking: [], idleReason: null },
      };
    case 'process.ready':
      return { life: 'ready', url: event.url ?? process.url };
    case 'process.exited':
      return { life: isEnding || isPlannedExit(event) ? 'ended' : 'dead', solving: null, checking: [] };
    case 'task.solving': {
      const { taskId, innerSteps } = event;
      return { solving: { taskId, phase: 'download', step: 0, innerSteps }, idleReason: null };
    }
    case 'train.step': {
      const { taskId, step, innerSteps, loss, milliseconds } = event;
      const phase = step < innerSteps ? 'train' : 'upload';
      const speed = (1000 * tokensPerStep) / Math.max(milliseconds, 1e-3);
      const before = process.tokensPerSec ?? speed;
      return {
        solving: { taskId, phase, step, innerSteps },
        loss,
        tokensPerSec: tokensPerStep === 0 ? null : before + newestWeight * (speed - before),
      };
    }
    case 'audit.started':
      return { checking: [...new Set([...process.checking, event.taskId])], idleReason: null };
    case 'audit.finished':
    case 'check.computed':
    case 'vote.computed':
      return { checking: process.checking.filter((taskId) => taskId !== event.taskId) };
    case 'worker.idle':
      return { idleReason: event.reason, solving: null, checking: [] };
    case 'fault.injected':
      return { fault: event.fault };
    case 'blob.pulled':
      return { receivedBytes: process.receivedBytes + event.sizeBytes };
    case 'blob.pushed':
      return { sentBytes: process.sentBytes + event.sizeBytes };
    default:
      return {};
  }
}

/** Done, or asked to stop (128 + n), or without its stake: none of them is a crash (src/errors.ts has the codes). */
function isPlannedExit({ code, signal }: { code: number | null; signal: string | null }): boolean {
  return signal === 'SIGTERM' || code === 0 || code === 13 || (code ?? 0) > 128;
}

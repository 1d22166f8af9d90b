/** What happened to one task, and what there is to know about many: for `tasks`, `task` and `why`. Pure. */
import { describe, short } from '../events/describe.js';
import { emptyRun } from '../events/projection.js';
import { summarise } from '../events/summary.js';
import type { StampedEvent } from '../events/types.js';
import type { ChainFact } from '../protocol/facts.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { reportModel } from './buildModel.js';
import type { DisputeRow, TaskRow } from './model.js';

export interface TaskStory {
  task: TaskRow;
  /** the task that was posted for the same slot before this one, and the one after it: a slot is posted again when its task ends
   *  without an accepted result */
  postedBefore: Hex32 | null;
  postedAgain: Hex32 | null;
  /** the newest one; null when nobody disputed it */
  dispute: DisputeRow | null;
  /** all of them, oldest first */
  disputes: DisputeRow[];
  /** in order; seconds since the first event */
  timeline: { seconds: number; src: string; text: string }[];
}

export function taskRowsOf(events: readonly StampedEvent[]): TaskRow[] {
  return modelOf(events).tasks;
}

/** null when there is no such task */
export function taskStory(events: readonly StampedEvent[], taskId: Hex32): TaskStory | null {
  const { tasks, disputes: all } = modelOf(events);
  const disputes = all.filter((row) => row.taskId === taskId);
  const task = tasks.find((row) => row.taskId === taskId);
  if (task === undefined) return null;
  const { before: postedBefore, after: postedAgain } = neighboursOf(events, taskId);
  const ids = new Set([taskId, ...hashesOf(events, taskId)]);
  const rejections = rejectionsOf(events, taskId);
  const isNext = (event: StampedEvent) => postedAgain !== null && isPosting(event, postedAgain);
  const startMs = Date.parse(events[0]?.t ?? '');
  const names = namesIn(events);
  const again = `slot ${task.slot} is posted again as task ${postedAgain === null ? '' : short(postedAgain)}`;
  return {
    ...{ task, postedBefore, postedAgain },
    dispute: disputes.at(-1) ?? null,
    disputes,
    timeline: events
      .filter(
        (event) =>
          isNext(event) ||
          jailsIn(event, rejections) ||
          (isAbout(event, taskId, ids) && event.type !== 'train.step'),
      )
      .map((event) => ({
        seconds: (Date.parse(event.t) - startMs) / 1000,
        src: event.src,
        text: isNext(event) ? again : describe(event, names).text,
      }))
      // The journal is in the order of arrival; what a process says may arrive late.
      .sort((a, b) => a.seconds - b.seconds),
  };
}

/** The one task whose id begins so; several or none are the caller's to tell. */
export function tasksBeginning(events: readonly StampedEvent[], given: string): Hex32[] {
  const prefix = `0x${given.toLowerCase().replace(/^0x/, '')}`;
  const ids = events.flatMap((event) =>
    event.type === 'chain.fact' && event.fact.type === 'BatchCreated' ? event.fact.taskIds : [],
  );
  return ids.filter((id) => id.startsWith(prefix));
}

export function namesIn(events: readonly StampedEvent[]): Map<Address, string> {
  const started = events.find((event) => event.type === 'run.started');
  const accounts = (started?.options.accounts ?? {}) as Record<string, Address>;
  return new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
}

/** Of one buyer, job and spec there is one task at a time for each slot. */
function neighboursOf(events: readonly StampedEvent[], taskId: Hex32) {
  const batches = factsIn(events).filter((fact) => fact.type === 'BatchCreated');
  const own = batches.find(({ taskIds }) => taskIds.includes(taskId));
  const slot = own?.slots[own.taskIds.indexOf(taskId)];
  const ofSlot = batches.flatMap(({ buyer, jobId, specHash, slots, taskIds }) => {
    const isSame = buyer === own?.buyer && jobId === own.jobId && specHash === own.specHash;
    return isSame ? taskIds.filter((_, i) => slots[i] === slot) : [];
  });
  const place = ofSlot.indexOf(taskId);
  return { before: ofSlot[place - 1] ?? null, after: ofSlot[place + 1] ?? null };
}

/** The task's cases, and the commitments that they began with. */
function hashesOf(events: readonly StampedEvent[], taskId: Hex32): Hex32[] {
  const facts = factsIn(events);
  const cases = facts.flatMap((fact) =>
    fact.type === 'CaseOpened' && fact.taskId === taskId ? fact.caseId : [],
  );
  const commitments = facts.flatMap((fact) =>
    fact.type === 'CommitmentOpened' && cases.includes(fact.caseId) ? fact.commitment : [],
  );
  return [...cases, ...commitments];
}

/** Transactions in which its solver was convicted. */
function rejectionsOf(events: readonly StampedEvent[], taskId: Hex32): ReadonlySet<Hex32> {
  const rejected = factsIn(events).filter((fact) => fact.type === 'TaskRejected' && fact.taskId === taskId);
  return new Set(rejected.map(({ transactionHash }) => transactionHash));
}

/** The fact names the position and not the task that cost it. */
function jailsIn(event: StampedEvent, transactions: ReadonlySet<Hex32>): boolean {
  if (event.type !== 'chain.fact' || event.fact.type !== 'PositionJailed') return false;
  return transactions.has(event.fact.transactionHash);
}

function factsIn(events: readonly StampedEvent[]): ChainFact[] {
  return events.flatMap((event) => (event.type === 'chain.fact' ? event.fact : []));
}

function isPosting(event: StampedEvent, taskId: Hex32): boolean {
  return (
    event.type === 'chain.fact' && event.fact.type === 'BatchCreated' && event.fact.taskIds.includes(taskId)
  );
}

/** ids: of the task and of what hangs on it */
function isAbout(event: StampedEvent, taskId: Hex32, ids: ReadonlySet<Hex32>): boolean {
  if ('taskId' in event) return event.taskId === taskId;
  if (event.type !== 'chain.fact') return false;
  const { fact } = event;
  return (
    isPosting(event, taskId) ||
    ('taskId' in fact && ids.has(fact.taskId)) ||
    ('caseId' in fact && ids.has(fact.caseId)) ||
    ('commitment' in fact && ids.has(fact.commitment))
  );
}

function modelOf(events: readonly StampedEvent[]) {
  return reportModel(events, summarise(emptyRun(), null));
}

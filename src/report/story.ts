/** What happened to one task, and what there is to know about many: for `tasks`, `task` and `why`. Pure. */
import { describe } from '../events/describe.js';
import { emptyRun } from '../events/projection.js';
import { summarise } from '../events/summary.js';
import type { StampedEvent } from '../events/types.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type DisputeRow, reportModel, type TaskRow } from './model.js';

export interface TaskStory {
  task: TaskRow;
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
  const caseIds = caseIdsOf(events, taskId);
  const task = tasks.find((row) => row.taskId === taskId);
  if (task === undefined) return null;
  const startMs = Date.parse(events[0]?.t ?? '');
  const names = namesIn(events);
  return {
    task,
    dispute: disputes.at(-1) ?? null,
    disputes,
    timeline: events
      .filter((event) => isAbout(event, taskId, caseIds) && event.type !== 'train.step')
      .map((event) => ({
        seconds: (Date.parse(event.t) - startMs) / 1000,
        src: event.src,
        text: describe(event, names).text,
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

function caseIdsOf(events: readonly StampedEvent[], taskId: Hex32): Set<Hex32> {
  const disputed = events.flatMap((event) =>
    event.type === 'chain.fact' && event.fact.type === 'CaseOpened' && event.fact.taskId === taskId
      ? [event.fact.caseId]
      : [],
  );
  return new Set([taskId, ...disputed]);
}

function isAbout(event: StampedEvent, taskId: Hex32, caseIds: ReadonlySet<Hex32>): boolean {
  if ('taskId' in event) return event.taskId === taskId;
  if (event.type !== 'chain.fact') return false;
  const { fact } = event;
  if (fact.type === 'BatchCreated') return fact.taskIds.includes(taskId);
  return (
    ('taskId' in fact && fact.taskId === taskId) || ('caseId' in fact && caseIds.has(fact.caseId as Hex32))
  );
}

function modelOf(events: readonly StampedEvent[]) {
  return reportModel(events, summarise(emptyRun(), null));
}

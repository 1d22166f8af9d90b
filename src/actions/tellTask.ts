/** Answers about tasks and accounts of a market, from whatever its events come from. */
import { PanthaliaError } from '../errors.js';
import type { StampedEvent } from '../events/types.js';
import { taskStates } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { type Explanation, explainerOf } from '../report/explain.js';
import type { TaskRow } from '../report/model.js';
import { type TaskStory, taskRowsOf, taskStory, tasksBeginning } from '../report/story.js';
import { type EventSource, readEvents } from './readEvents.js';

export interface TaskFilter {
  /** one of taskStates */
  state?: string;
  /** name or address */
  solver?: string;
}

/** throws usage/tasks.no_such_state, and what readEvents throws */
export async function listTasks(
  source: EventSource,
  filter: TaskFilter,
  signal: AbortSignal,
): Promise<TaskRow[]> {
  const { state, solver } = filter;
  if (state !== undefined && !taskStates.some((one) => one === state)) throw noSuchState(state);
  const rows = taskRowsOf(await readEvents(source, signal));
  return rows.filter(
    (row) => (state === undefined || row.state === state) && (solver === undefined || row.solver === solver),
  );
}

export interface TaskAnswer extends TaskStory {
  /** empty where the rules of the market are not known */
  payments: Explanation[];
}

/** given: a task id or its first digits
 *  throws notFound/task.not_found, usage/task.ambiguous, and what readEvents throws */
export async function tellTask(source: EventSource, given: string, signal: AbortSignal): Promise<TaskAnswer> {
  const events = await readEvents(source, signal);
  const taskId = theTask(events, given);
  const explainer = explainerOf(events);
  const entries = explainer?.entries.filter((entry) => entry.taskId === taskId) ?? [];
  return {
    ...(taskStory(events, taskId) as TaskStory),
    payments: explainer?.explain(entries) ?? [],
  };
}

/** Of a task: each payment because of it. Of an account: each payment it made or got, and each bond it lost. */
export interface WhyAnswer {
  subject: { taskId: Hex32 } | { account: Address; name: string };
  payments: Explanation[];
}

/** given: a task id or its first digits, the name of a process, or an address
 *  throws notFound/why.unknown, usage/task.ambiguous, check/why.no_rules, and what readEvents throws */
export async function tellWhy(source: EventSource, given: string, signal: AbortSignal): Promise<WhyAnswer> {
  const events = await readEvents(source, signal);
  const explainer = explainerOf(events);
  if (explainer === null) throw noRules();
  const { entries, explain, accountOf, nameOf } = explainer;
  const account = accountOf(given);
  if (account !== null) {
    const own = entries.filter(({ from, to }) => from.owner === account || to.owner === account);
    // What stays its owner's (stakes, bonds that come back) needs no reason.
    const moved = own.filter(({ from, to }) => from.owner !== to.owner);
    return { subject: { account, name: nameOf(account) }, payments: explain(moved) };
  }
  if (!/^(0x)?[0-9a-fA-F]{1,64}$/.test(given)) throw unknown(given);
  const taskId = theTask(events, given);
  return { subject: { taskId }, payments: explain(entries.filter((entry) => entry.taskId === taskId)) };
}

function theTask(events: readonly StampedEvent[], given: string): Hex32 {
  const found = tasksBeginning(events, given);
  if (found.length === 1) return found[0] as Hex32;
  if (found.length === 0) {
    throw new PanthaliaError('notFound', `There is no task ${given} in this market.`, {
      code: 'task.not_found',
      details: { received: given },
      next: 'panthalia tasks',
    });
  }
  throw new PanthaliaError('usage', `${found.length} tasks begin with ${given}.`, {
    code: 'task.ambiguous',
    details: { received: given, candidates: found.slice(0, 10) },
    next: 'give more digits',
  });
}

function noSuchState(given: string): PanthaliaError {
  const known = taskStates.join(', ');
  return new PanthaliaError('usage', `No task is ever ${JSON.stringify(given)}; it is ${known}.`, {
    code: 'tasks.no_such_state',
    details: { received: given, known: taskStates },
    next: 'panthalia tasks shows all of them',
  });
}

function unknown(given: string): PanthaliaError {
  return new PanthaliaError('notFound', `${given} is neither a task nor an account of this market.`, {
    code: 'why.unknown',
    details: { received: given },
    next: 'panthalia tasks lists the tasks; accounts are worker_0, master or 0x...',
  });
}

function noRules(): PanthaliaError {
  return new PanthaliaError('check', 'The journal of this run does not hold the rules of its market.', {
    code: 'why.no_rules',
    next: 'pass --deployment FILE while its chain runs',
  });
}

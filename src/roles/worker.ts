/** One compute provider: solves what it is drawn for, audits the others, votes in panels. */
import { mkdir } from 'node:fs/promises';
import { latestBlock, requireSigner } from '../chain/client.js';
import { isTerminal, submissionKey } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import { positionKey } from '../protocol/marketView.js';
import type { Hex32 } from '../protocol/task.js';
import { idleReason, ownCases, tasksToAudit, tasksToSolve } from './agenda.js';
import { checksToAnswer } from './answers.js';
import { honest } from './behaviour.js';
import { type ChecksOptions, runChecks } from './checks.js';
import type { WorkerContext } from './context.js';
import { demandLeaves } from './disputer.js';
import { createEngineTurns } from './engineTurns.js';
import { checkFault } from './faults.js';
import { createInputs } from './inputs.js';
import { keepDuring } from './keep.js';
import { type Lane, type LaneItem, type LaneSignals, next, runLane } from './lane.js';
import { demandsToAnswer } from './leaves.js';
import { forget } from './memory.js';
import { standIn } from './patience.js';
import { createPermission } from './permission.js';
import { createPurse } from './purse.js';
import { readRules } from './rules.js';
import { seatsOf, stayingSentence } from './seats.js';
import { ensureStaked } from './staking.js';
import { type Stay, stayUntilDone } from './stay.js';
import { tellVersions } from './versions.js';
import { runVotes } from './votes.js';
import { accuse, audit, disputeAgain, disputesToMakeAgain, follow, reserveFees } from './workerDisputes.js';
import { answer, judge, look, show, solve } from './workerJobs.js';
import type { Worker, WorkerReport } from './workerState.js';

/** Windows of a subnet for people are longer: what ends later is told, and somebody else has to answer for it. */
const defaultStaySeconds = 600;
/** For jobs that run when nothing is owed any more, and for the last transactions. */
const graceSeconds = 8;

/** Stakes, then works until the signal; then takes nothing new, tells what it still owes, sees through what ends within `staySeconds`,
 *  and resolves.
 *  throws usage/fault.unknown, usage/stake.too_small, user/account.*, and whatever ends the watch of the chain */
export async function run(context: WorkerContext, signal: AbortSignal): Promise<WorkerReport> {
  const hardStop = new AbortController();
  const worker = await start(context, hardStop.signal, signal);
  const slashedBefore = slashedOf(worker);
  const { staySeconds: seconds = defaultStaySeconds, isTheEnd } = context.options;
  const timers: NodeJS.Timeout[] = [];
  const end = () => hardStop.abort(new Error('the time to finish is over'));
  const endIn = (left: number) => {
    timers.push(setTimeout(end, 1000 * left));
  };
  const onSignal = () => {
    const isOver = isTheEnd?.(signal.reason) === true;
    if (!isOver) tellSeats(worker, stayingSentence, 'warn');
    if (seconds === 0 || isOver) end();
    else endIn(seconds + graceSeconds);
  };
  signal.addEventListener('abort', onSignal, { once: true });
  if (signal.aborted) onSignal();
  const newestBlock = async () => (await latestBlock(context.chain)).number;
  const staying = { context, self: worker.self, terms: worker.rules.params, seconds, newestBlock };
  const stay = stayUntilDone(staying, signal, hardStop.signal);
  // Whoever still computes what nobody asked for does so a moment longer, and no more.
  stay.owing.addEventListener('abort', () => endIn(graceSeconds), { once: true });
  const lanes = Promise.all([
    stay.over,
    ...startLanes(worker, stay, { taking: signal, hard: hardStop.signal }),
  ]);
  context.emit({ type: 'process.ready', process: 'worker' });
  try {
    const keeping = { rules: worker.rules, standIn: standIn(worker.self) };
    await keepDuring(context, keeping, hardStop.signal, lanes);
  } catch (error) {
    if (!hardStop.signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onSignal);
    hardStop.abort(new Error('the worker has stopped'));
    await Promise.allSettled([lanes]);
    await Promise.all(worker.following.values());
    for (const timer of timers) clearTimeout(timer);
  }
  return { ...worker.report, slashed: slashedOf(worker) - slashedBefore };
}

async function start(context: WorkerContext, hard: AbortSignal, signal: AbortSignal): Promise<Worker> {
  const { fault, stakeAmount } = context.options;
  const behaviour = fault === undefined ? honest : checkFault(fault)(honest);
  await mkdir(context.scratch, { recursive: true });
  const rules = await readRules(context.contracts, context.deployment.subnetId);
  const purse = createPurse(context);
  await ensureStaked(context, { amount: stakeAmount, purse, rules }, signal);
  const self = requireSigner(context.chain).address;
  const worker: Worker = {
    context,
    self,
    rules,
    behaviour,
    disputer: { context, purse, rules },
    inputs: createInputs({ sot: context.sot, folder: context.scratch, opset: context.compute.opset }),
    turns: createEngineTurns(),
    permission: createPermission(context, self),
    report: { solved: 0, audited: 0, disputed: 0, voted: 0, checked: 0, slashed: 0n },
    solutions: new Map(),
    stood: new Map(),
    goneSince: new Map(),
    following: new Map(),
    lookTurn: createEngineTurns().turnOf('verify'),
    hard,
  };
  tellSeats(worker, (seats) => `${worker.self} has ${seats} staked.`, 'info');
  if (context.options.audit !== 'never') await reserveFees(worker, signal);
  return worker;
}

function tellSeats(
  { context, rules, self }: Worker,
  sentence: (seats: string) => string,
  level: 'info' | 'warn',
): void {
  const seats = seatsOf(context.market.view, rules.subnetId, self);
  if (seats !== null) context.emit({ type: 'alert', level, message: sentence(seats), code: 'worker.staked' });
  else if (context.options.stakeAmount === 0n && level === 'info') {
    const message = `${self} has nothing staked, and stakes nothing: it is drawn for no task and no panel.`;
    context.emit({ type: 'alert', level, message, code: 'worker.no_seats' });
  }
}

/** Each lane is serial; the engine serves them by priority, one inner step at a time. After the signal nothing is audited unasked, and the
 *  others go on with what is owed. */
function startLanes(worker: Worker, stay: Stay, { taking, hard }: LaneSignals): Promise<void>[] {
  const { context, self, behaviour } = worker;
  const { market, emit } = context;
  const policy = context.options.audit;
  const onBusy = idleReporter(worker);
  const signals = { taking: stay.owing, hard };
  const lane = <Item extends LaneItem>(one: Lane<Item>, until = signals) =>
    runLane(one, { market, emit, onBusy }, until);
  const isJailed = () =>
    market.view.positions.get(positionKey(worker.rules.subnetId, 'solver', self))?.jailed;
  const votes = {
    context,
    rules: worker.rules,
    judge: (task: TaskView, kase: CaseView) => judge(worker, task, kase),
    onBusy,
    onVote: () => {
      worker.report.voted += 1;
    },
  };
  const checks: ChecksOptions = {
    ...{ context, onBusy, insists: behaviour.defends },
    rules: worker.rules,
    isTaken: stay.isTaken,
    look: (task, steps, until) => look(worker, task, steps, until),
    accuse: (task, what) => accuse(worker, task, what),
    demand: (task) => demandLeaves(worker.disputer, task, worker.hard),
    onCheck: () => {
      worker.report.checked += 1;
    },
  };
  return [
    tellVersions(context, worker.rules, signals.taking),
    forgetEnded(worker, signals.taking),
    runVotes(votes, signals),
    runChecks(checks, signals),
    lane({
      name: 'answer',
      candidates: (view, head) => checksToAnswer(view, head, self),
      work: (item) => answer(worker, item),
    }),
    lane(
      {
        name: 'audit',
        // Of one attempt a reorganisation may bring another submission.
        candidates: (view, head) =>
          tasksToAudit(view, head, { self, policy }).map((task) => ({ task, key: submissionKey(task) })),
        work: ({ task }) => audit(worker, task),
      },
      { taking, hard },
    ),
    lane({
      name: 'dispute',
      candidates: (view, head) => disputesToMakeAgain(worker, view, head),
      work: (one) => disputeAgain(worker, one),
    }),
    lane({
      name: 'solution',
      candidates: (view, head) =>
        tasksToSolve(view, head, self).flatMap((task) =>
          !isJailed() && stay.isTaken(task.taskId) ? [{ task }] : [],
        ),
      work: ({ task }) => solve(worker, task),
    }),
    lane({
      name: 'trace',
      candidates: (view, head) => demandsToAnswer(view, head, self).map((task) => ({ task })),
      work: ({ task }) => show(worker, task),
    }),
    lane({
      name: 'case',
      candidates: (view) =>
        ownCases(view, self).filter(
          ({ kase, claim }) =>
            (claim === 'invalid' || behaviour.defends) && !worker.following.has(kase.caseId),
        ),
      work: async ({ kase, claim }) => {
        follow(worker, { caseId: kase.caseId, claim });
        return 'shown';
      },
    }),
  ];
}

/** What is kept about tasks and cases goes with them: at the start, and whenever one ends. */
async function forgetEnded({ context, solutions, stood }: Worker, taking: AbortSignal): Promise<void> {
  const { memory, market } = context;
  const hasEnded = (id: Hex32) => {
    const { tasks, cases } = market.view;
    return isTerminal(tasks.get(id)?.state ?? 'open') || cases.get(id)?.settled === true;
  };
  const endedIn = ({ tasks, cases }: MarketView) =>
    [...tasks.values()].filter(({ state }) => isTerminal(state)).length +
    [...cases.values()].filter(({ settled }) => settled).length;
  for (let last = -1; ; ) {
    const count = await next(market, taking, (view) => (endedIn(view) === last ? undefined : endedIn(view)));
    if (count === null) return;
    last = count;
    await forget(memory, hasEnded);
    for (const taskId of solutions.keys()) if (hasEnded(taskId)) solutions.delete(taskId);
    for (const [key, { task }] of stood) if (hasEnded(task.taskId)) stood.delete(key);
  }
}

/** Tells why, whenever the last running job has ended. */
function idleReporter({ context, rules, self, hard }: Worker): (change: 1 | -1) => void {
  let running = 0;
  const sayIdle = () => {
    if (hard.aborted) return;
    context.emit({ type: 'worker.idle', reason: idleReason(context.market.view, rules.subnetId, self) });
  };
  sayIdle();
  return (change) => {
    running += change;
    if (running === 0) sayIdle();
  };
}

function slashedOf({ context, rules, self }: Worker): bigint {
  const { positions } = context.market.view;
  const of = (role: 'solver' | 'verifier') =>
    positions.get(positionKey(rules.subnetId, role, self))?.slashed ?? 0n;
  return of('solver') + of('verifier');
}

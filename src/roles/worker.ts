/** One compute provider: solves what it is drawn for, audits the others, votes in panels. */
import { mkdir } from 'node:fs/promises';
import { latestBlock, requireSigner } from '../chain/client.js';
import type { Head } from '../chain/follow.js';
import { settleSent } from '../chain/resend.js';
import { PanthaliaError } from '../errors.js';
import { checkedSteps, openingsOf } from '../protocol/check.js';
import { pinCost, roundFee } from '../protocol/economics.js';
import { caseAbout, isTerminal, submissionKey } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import { positionKey } from '../protocol/marketView.js';
import type { Address, Hex32, Submission } from '../protocol/task.js';
import { canAudit, canSolve, idleReason, openSeats, ownCases, tasksToAudit, tasksToSolve } from './agenda.js';
import { checksToAnswer, openAnswers, type QuestionItem } from './answers.js';
import { type FollowOptions, followCase } from './appeals.js';
import { type Behaviour, honest } from './behaviour.js';
import { type ChecksOptions, checksToMake, runChecks } from './checks.js';
import type { WorkerContext } from './context.js';
import {
  type Accusation,
  type Disputer,
  demandLeaves,
  isDueAgain,
  isTakenBack,
  openDispute,
  type StoodDispute,
} from './disputer.js';
import { createEngineTurns, type EngineTurns, type Priority } from './engineTurns.js';
import { checkFault } from './faults.js';
import { createInputs, type Inputs } from './inputs.js';
import { type Job, whenNodeAnswers, whileDisplaced, whileWanted } from './job.js';
import { keepDuring } from './keep.js';
import { type Done, type Lane, type LaneItem, type LaneSignals, next, runLane } from './lane.js';
import { demandsToAnswer, isDemanded, ownLeaves, showLeaves } from './leaves.js';
import { forget } from './memory.js';
import { standIn } from './patience.js';
import { createPermission, type Permission } from './permission.js';
import { publishState } from './publish.js';
import { createPurse } from './purse.js';
import type { Turn } from './replay.js';
import { readRules, type SubnetRules } from './rules.js';
import { seatsOf, stayingSentence } from './seats.js';
import { ensureStaked } from './staking.js';
import { type Stay, stayUntilDone } from './stay.js';
import { judgeAgain } from './verifier.js';
import { tellVersions } from './versions.js';
import { runVotes } from './votes.js';

/** Windows of a subnet for people are longer: what ends later is told, and somebody else has to answer for it. */
const defaultStaySeconds = 600;
/** For jobs that run when nothing is owed any more, and for the last transactions. */
const graceSeconds = 8;

/** What the worker did while it ran. */
export interface WorkerReport {
  solved: number;
  audited: number;
  disputed: number;
  voted: number;
  checked: number;
  /** lost to slashing, token units */
  slashed: bigint;
}

interface Worker {
  context: WorkerContext;
  self: Address;
  rules: SubnetRules;
  behaviour: Behaviour;
  disputer: Disputer;
  inputs: Inputs;
  /** one engine for all lanes: who is served next */
  turns: EngineTurns;
  /** to store what it solves */
  permission: Permission;
  report: WorkerReport;
  /** by task: a reorganisation may take a submission back, and its task is the same whoever is drawn for it again */
  solutions: Map<Hex32, Submission>;
  /** by task and step: disputes that stood on chain, in case a reorganisation takes them back */
  stood: Map<string, StoodDispute>;
  /** by the same key: since when the case is gone, unix seconds */
  goneSince: Map<string, number>;
  /** cases that are seen through, until they are over */
  following: Map<Hex32, Promise<void>>;
  /** of looks at cases: each holds a base and a trainer, and there may be hundreds */
  lookTurn: Turn;
  /** ends everything at once: the time to finish what is owed is over, or a lane has failed */
  hard: AbortSignal;
}

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

async function solve(worker: Worker, task: TaskView): Promise<Done> {
  const { context, self, solutions, hard } = worker;
  const { market, contracts } = context;
  const { taskId } = task;
  const isOurs = (view: MarketView, head: Head) => canSolve(view.tasks.get(taskId), head, self);
  const known = solutions.get(taskId);
  if (known !== undefined) {
    const message = `The submission of task ${taskId} is not on chain any more, and the task still ours: it is submitted again.`;
    context.emit({ type: 'alert', level: 'warn', message, code: 'solution.shown_again' });
  }
  const submission =
    known ?? (await whileWanted(market, isOurs, hard, (signal) => compute(worker, task, signal)));
  if (submission === null) return 'over';
  solutions.set(taskId, submission);
  const args = [task.terms, task.slot, submission] as const;
  const submit = () => whenNodeAnswers(market, hard, () => contracts.market.write('submit', args, hard));
  const receipt = await whileDisplaced(market, isOurs, hard, submit);
  if (known === undefined) worker.report.solved += 1;
  await market.caughtUp(receipt.blockNumber, hard);
  return 'shown';
}

async function compute(worker: Worker, task: TaskView, signal: AbortSignal): Promise<Submission | null> {
  const { context, behaviour, permission } = worker;
  await permission.awaited(task.taskId, signal);
  const job = jobOf(worker, task, 'solve', signal);
  const sot = permission.patient(context.sot, signal);
  return behaviour.solve({ ...job, context: { ...context, sot } });
}

async function show(worker: Worker, task: TaskView): Promise<Done> {
  const { context, hard } = worker;
  const { taskId } = task;
  const leaves = await whileWanted(
    context.market,
    (view, head) => isDemanded(view.tasks.get(taskId), head),
    hard,
    (signal) => ownLeaves(jobOf(worker, task, 'verify', signal)),
  );
  if (leaves !== null) {
    await whenNodeAnswers(context.market, hard, () => showLeaves(context, task, leaves, hard));
    return 'shown';
  }
  const message = `The trace of task ${taskId} is demanded, and our computation does not give it.`;
  context.emit({ type: 'alert', level: 'error', message, code: 'leaves.wrong' });
  return 'over';
}

async function audit(worker: Worker, task: TaskView): Promise<Done> {
  const { context, behaviour, stood, hard } = worker;
  const { taskId } = task;
  // Its dispute goes on, also where what came after it has failed, or the submission was away for a moment.
  const isSame = (one: StoodDispute) => submissionKey(one.task) === submissionKey(task);
  if ([...stood.values()].some((one) => one.task.taskId === taskId && isSame(one))) return 'over';
  const finding = await whileWanted(
    context.market,
    (view, head) => canAudit(view.tasks.get(taskId), head),
    hard,
    (signal) => behaviour.audit(jobOf(worker, task, 'audit', signal)),
  );
  worker.report.audited += 1;
  const { firstWrongStep: step, leaves, ownLeaves } = finding;
  if (step !== null) await accuseIfPaid(worker, task, { step, leaves, ownLeaves });
  return 'over';
}

/** Notes since when cases are gone. */
function disputesToMakeAgain(
  { self, stood, goneSince }: Worker,
  view: MarketView,
  head: Head,
): StoodDispute[] {
  const gone = [...stood.values()].filter((one) => isTakenBack(one, view, head));
  const keys = new Set(gone.map(({ key }) => key));
  for (const key of goneSince.keys()) if (!keys.has(key)) goneSince.delete(key);
  return gone.filter((one) => {
    const goneAt = goneSince.get(one.key) ?? head.timestamp;
    goneSince.set(one.key, goneAt);
    return isDueAgain(one, view, head, { self, goneAt });
  });
}

async function disputeAgain(worker: Worker, dispute: StoodDispute): Promise<Done> {
  const { context, hard } = worker;
  const { chain, market, emit } = context;
  const { task } = dispute;
  await market.caughtUp(await settleSent(chain, hard), hard);
  if (!isTakenBack(dispute, market.view, market.head)) return 'shown';
  if (caseAbout(market.view, task.taskId, dispute.step) === undefined) {
    const message = `The dispute of task ${task.taskId} is not on chain any more, and its window is open: it is made again.`;
    emit({ type: 'alert', level: 'warn', message, code: 'dispute.made_again' });
  }
  return (await accuseIfPaid(worker, task, dispute)) ? 'shown' : 'over';
}

type Charge = Pick<Accusation, 'step' | 'leaves' | 'ownLeaves'>;

/** Work of ours that others may ask about goes on without the money for a dispute.  returns whether there was enough */
async function accuseIfPaid(worker: Worker, task: TaskView, charge: Charge): Promise<boolean> {
  try {
    await accuse(worker, task, charge);
    return true;
  } catch (error) {
    if (!(error instanceof PanthaliaError) || error.code !== 'account.no_tokens') throw error;
    const message = `Task ${task.taskId} is wrong and is not disputed: ${error.message}`;
    worker.context.emit({ type: 'alert', level: 'error', message, code: error.code });
    return false;
  }
}

/** Takes the transition to court.  returns whether a case about it stands */
async function accuse(worker: Worker, task: TaskView, { step, leaves, ownLeaves }: Charge): Promise<boolean> {
  const { context, disputer, stood, hard } = worker;
  const { taskId } = task;
  const { market } = context;
  const accusation: Accusation = {
    ...{ task, step, leaves, ownLeaves },
    publish: (k, signal) => publishState(jobOf(worker, task, 'audit', signal), k),
  };
  const kase = await whenNodeAnswers(market, hard, () => openDispute(disputer, accusation, hard));
  if (kase !== null) {
    follow(worker, { caseId: kase.caseId, claim: 'invalid' });
    const key = `${taskId} ${kase.step}`;
    const isNew = !stood.has(key);
    const { caseId, disputer: by } = kase;
    stood.set(key, { task, key, caseId, disputer: by, step: kase.step, leaves, ownLeaves });
    if (by === worker.self) {
      if (isNew) worker.report.disputed += 1;
      await reserveFees(worker, hard);
    }
    return true;
  } else if (canAudit(market.view.tasks.get(taskId), market.head)) {
    throw new Error(`task ${taskId} is wrong and no case about step ${step} came to be`);
  } else if (market.view.tasks.get(taskId)?.state === 'accepted') {
    const message = `Task ${taskId} is wrong and could not be disputed: its window has closed.`;
    context.emit({ type: 'alert', level: 'error', message, code: 'audit.too_late' });
  }
  return false;
}

/** What a dispute and its first appeal cost waits in the vault, since their windows are short. */
async function reserveFees({ context, disputer, rules }: Worker, signal: AbortSignal): Promise<void> {
  try {
    const { bond, due } = pinCost(rules.params, rules.params.minPrice);
    await disputer.purse.reserve(bond + due + roundFee(rules.params, 2), signal);
  } catch (error) {
    if (!(error instanceof PanthaliaError) || error.code !== 'account.no_tokens') throw error;
    const message = `No tokens are left for disputes. ${error.message}`;
    context.emit({ type: 'alert', level: 'warn', message, code: error.code });
  }
}

async function look(worker: Worker, task: TaskView, steps: readonly number[], until: number) {
  const { context, self, behaviour, hard } = worker;
  const { taskId, round, slot } = task;
  const isOurs = (view: MarketView, head: Head) =>
    checksToMake(view, head, self).some(
      ({ check }) => check.taskId === taskId && (check.phase !== 'commit' || head.timestamp < until),
    );
  context.emit({ type: 'audit.started', taskId, round, slot });
  const finding = await whileWanted(context.market, isOurs, hard, (signal) =>
    behaviour.check(jobOf(worker, task, 'audit', signal), steps),
  );
  if (finding === null) return null;
  const { firstWrongStep, steps: made, computeSeconds } = finding;
  context.emit({ type: 'check.computed', taskId, firstWrongStep, steps: made, computeSeconds });
  return finding;
}

async function answer(worker: Worker, { task, check }: QuestionItem): Promise<Done> {
  const { context, self, behaviour, rules, hard } = worker;
  const { market } = context;
  const isAsked = (view: MarketView, head: Head) =>
    checksToAnswer(view, head, self).some((one) => one.task.taskId === task.taskId);
  const made = await whileWanted(market, isAsked, hard, (signal) =>
    behaviour.answer(jobOf(worker, task, 'verify', signal)),
  );
  if (made === null) return 'over';
  const openings = openingsOf(
    context.compute.opset,
    checkedSteps(await rules.paramsOf(task.terms.paramsVersion), check, task.terms.innerSteps),
    made,
  );
  await whenNodeAnswers(market, hard, () => openAnswers(context, task, openings, hard));
  return 'shown';
}

async function judge(worker: Worker, task: TaskView, kase: CaseView) {
  const { context, self, behaviour, hard } = worker;
  const isSeated = (view: MarketView) =>
    openSeats(view, context.market.head, self).some((seat) => seat.caseId === kase.caseId);
  return whileWanted(context.market, isSeated, hard, (signal) =>
    behaviour.judge(jobOf(worker, task, 'verify', signal), kase),
  );
}

/** In the background: a case takes minutes, and other audits must go on. */
function follow(worker: Worker, { caseId, claim }: Pick<FollowOptions, 'caseId' | 'claim'>): void {
  const { context, disputer, following, hard } = worker;
  if (following.has(caseId)) return;
  const look: FollowOptions['look'] = (task, kase, seconds, signal) =>
    worker.lookTurn(async () => {
      signal.throwIfAborted();
      return judgeAgain(jobOf(worker, task, 'verify', signal), kase, seconds);
    });
  const seeThrough = async () => {
    try {
      await followCase(disputer, { caseId, claim, look }, hard);
    } catch (error) {
      if (hard.aborted) return;
      const { message, code } = error as Error & { code?: string };
      context.emit({ type: 'alert', level: 'error', message, ...(code === undefined ? {} : { code }) });
    } finally {
      following.delete(caseId);
    }
  };
  following.set(caseId, seeThrough());
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

function jobOf(worker: Worker, task: TaskView, priority: Priority, signal: AbortSignal): Job {
  const { context, inputs, turns } = worker;
  return { context, task, inputs, turn: turns.turnOf(priority), signal };
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

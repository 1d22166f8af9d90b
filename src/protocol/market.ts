/** The market as one value, rebuilt from what happened on chain. Pure: the same facts give the same view. */
import type { ChainFact, CheckOutcome, Role, Verdict } from './facts.js';
import { type JobRef, jobKey } from './outerSteps.js';
import type { Address, Hex32, Submission } from './task.js';
import { slotBits, type Terms } from './terms.js';

export type TaskState =
  | 'open'
  | 'assigned'
  | 'submitted'
  | 'disputed'
  /** a case about it ended without a verdict: it can still be rejected, but not accepted */
  | 'undecided'
  | 'accepted'
  | 'rejected'
  | 'expired'
  | 'cancelled'
  | 'voided';

/** Times are unix seconds of the chain's clock, amounts are in the token's smallest unit. */
export interface TaskView {
  taskId: Hex32;
  batchId: Hex32;
  subnetId: number;
  paramsVersion: number;
  buyer: Address;
  jobId: Hex32;
  round: number;
  slot: number;
  baseRoot: Hex32;
  specHash: Hex32;
  price: bigint;
  /** what the batch was posted with, for calls about the task */
  terms: Terms;
  state: TaskState;
  /** where the current draw was requested: it is made in a later epoch */
  requestBlock: number;
  openedAt: number;
  attempt: number;
  solver: Address | null;
  solveBy: number | null;
  submission: Submission | null;
  submittedBlock: number | null;
  challengeBy: number | null;
  /** somebody can not get the trace's leaves and has asked for them on chain; null when nobody has */
  demand: { by: Address; answerBy: number; closed: boolean } | null;
  /** S_0 .. S_H, where they were published on chain */
  leaves: readonly Hex32[] | null;
  /** of the newest dispute */
  disputer: Address | null;
  /** k of the transition k -> k + 1 that it calls wrong */
  disputedStep: number | null;
}

export interface SeatView {
  seat: number;
  voter: Address;
  committed: boolean;
  verdict: Verdict | null;
  answer: Hex32 | null;
  closed: boolean;
  paid: bigint;
  slashed: bigint;
}

export type RoundPhase = 'drawing' | 'commit' | 'reveal' | 'ruled';

export interface RoundView {
  round: number;
  size: number;
  payer: Address;
  fee: bigint;
  phase: RoundPhase;
  /** where the current draw was requested: it is made in a later epoch */
  requestBlock: number;
  openedAt: number;
  /** when voting was first open: the panel was drawn with the seed of the epoch before this block's */
  votingBlock: number | null;
  commitBy: number | null;
  revealBy: number | null;
  appealBy: number | null;
  ruling: Verdict | 'none' | null;
  /** by seat number; a seat not drawn yet is absent */
  seats: SeatView[];
}

/** A dispute of one task. A task may have several, side by side. */
export interface CaseView {
  caseId: Hex32;
  taskId: Hex32;
  disputer: Address;
  openedAt: number;
  /** k of the transition k -> k + 1 that the disputer calls wrong */
  step: number;
  /** S_k and S_{k+1} of the solver's trace */
  before: Hex32;
  next: Hex32;
  /** blob of X_k, published by the disputer; null when it published none */
  stateBlob: Hex32 | null;
  /** by number, from 1 */
  rounds: RoundView[];
  settled: boolean;
  verdict: Verdict | 'none' | null;
  burned: bigint;
  /** the task ended before the case did */
  moot: boolean;
}

/** Whose move it is. */
export type CheckPhase =
  /** anyone's: the checker was absent or has declined, another one is to be drawn */
  | 'drawing'
  /** the checker's: it looks, and commits to what it has seen */
  | 'commit'
  /** the solver's: it shows what its trace is made of */
  | 'answer'
  /** the checker's: it opens its commitment */
  | 'reveal'
  /** the checker's: their answers differ, and there is a step to pin */
  | 'dispute'
  | 'over';

/** One verifier, drawn to look at a submission that nobody has to dispute. */
export interface CheckView {
  taskId: Hex32;
  checker: Address;
  /** 2 is in the place of a checker that was absent */
  attempt: number;
  /** of the whole task, or of single steps */
  whole: boolean;
  /** gives the steps, and is the seed of the answers */
  roll: Hex32;
  phase: CheckPhase;
  /** of the phase, the last second that is in time; of `dispute` it is the task's challengeBy */
  deadline: number;
  /** where a second checker was asked for */
  requestBlock: number;
  /** the solver's */
  answers: Hex32 | null;
  /** the checker's */
  revealed: Hex32 | null;
  outcome: CheckOutcome | null;
}

/** That somebody knows a fault, before it says which. */
export interface CommitmentView {
  disputer: Address;
  bond: bigint;
}

export interface SubnetView {
  owner: Address;
  /** paused or closed: it takes no new tasks and no new stake */
  state: 'open' | 'paused' | 'closed';
}

/** How far a job is on chain. */
export interface JobView extends JobRef {
  /** outer steps that were appended */
  rounds: number;
  /** after the last of them, as the buyer says */
  stateRoot: Hex32;
  chainHash: Hex32;
}

export interface PositionView {
  subnetId: number;
  role: Role;
  account: Address;
  /** staked, not asked back, not lost */
  seats: number;
  /** of the first stake */
  stakedBlock: number;
  unstaking: number;
  /** epoch */
  unlockAt: number;
  jailed: boolean;
  slashed: bigint;
}

export interface LedgerView {
  deposited: bigint;
  withdrawn: bigint;
  burned: bigint;
  slashed: bigint;
  /** prices of accepted tasks */
  paidToSolvers: bigint;
  /** what closed seats received, their own bonds included */
  paidToVerifiers: bigint;
}

export interface MarketView {
  /** whose tasks and cases are in the view; null takes all. Anyone can open a subnet of one staker and post there whatever job
   *  they like, so whoever acts on a view looks at its own subnet only */
  subnetId: number | null;
  /** the last block whose facts are in the view */
  block: number;
  tasks: ReadonlyMap<Hex32, TaskView>;
  cases: ReadonlyMap<Hex32, CaseView>;
  /** by task: the newest checker's */
  checks: ReadonlyMap<Hex32, CheckView>;
  /** of solvers, by `scoreKey`; absent is 0 */
  scores: ReadonlyMap<string, number>;
  /** those that wait for their pin, by `commitmentKey` */
  commitments: ReadonlyMap<string, CommitmentView>;
  positions: ReadonlyMap<string, PositionView>;
  /** by epoch */
  seeds: ReadonlyMap<number, Hex32>;
  subnets: ReadonlyMap<number, SubnetView>;
  /** those with an outer step on chain, by `jobKey` */
  jobs: ReadonlyMap<string, JobView>;
  ledger: LedgerView;
}

const noHash: Hex32 = `0x${'00'.repeat(32)}`;

interface Draft extends MarketView {
  tasks: Map<Hex32, TaskView>;
  cases: Map<Hex32, CaseView>;
  checks: Map<Hex32, CheckView>;
  scores: Map<string, number>;
  commitments: Map<string, CommitmentView>;
  positions: Map<string, PositionView>;
  seeds: Map<number, Hex32>;
  jobs: Map<string, JobView>;
  subnets: Map<number, SubnetView>;
}

export function emptyMarket(subnetId: number | null = null): MarketView {
  const ledger = {
    deposited: 0n,
    withdrawn: 0n,
    burned: 0n,
    slashed: 0n,
    paidToSolvers: 0n,
    paidToVerifiers: 0n,
  };
  return {
    subnetId,
    block: 0,
    tasks: new Map(),
    cases: new Map(),
    checks: new Map(),
    scores: new Map(),
    commitments: new Map(),
    positions: new Map(),
    seeds: new Map(),
    jobs: new Map(),
    subnets: new Map(),
    ledger,
  };
}

/** The view after one more fact. Facts come in block order; the input is not changed. */
export function applyFact(view: MarketView, fact: ChainFact): MarketView {
  return applyFacts(view, [fact]);
}

/** The view after many facts: one copy for all of them. */
export function applyFacts(view: MarketView, facts: readonly ChainFact[]): MarketView {
  if (facts.length === 0) return view;
  const draft: Draft = {
    subnetId: view.subnetId,
    block: view.block,
    tasks: new Map(view.tasks),
    cases: new Map(view.cases),
    checks: new Map(view.checks),
    scores: new Map(view.scores),
    commitments: new Map(view.commitments),
    positions: new Map(view.positions),
    seeds: new Map(view.seeds),
    jobs: new Map(view.jobs),
    subnets: new Map(view.subnets),
    ledger: { ...view.ledger },
  };
  for (const fact of facts) {
    draft.block = Math.max(draft.block, fact.blockNumber);
    fold(draft, fact);
  }
  return draft;
}

/** Of one account: anybody can put the same hash on chain, and only its maker can open it. */
export function commitmentKey(disputer: Address, commitment: Hex32): string {
  return `${disputer}/${commitment}`;
}

export function positionKey(subnetId: number, role: Role, account: Address): string {
  return `${subnetId}/${role}/${account}`;
}

export function scoreKey(subnetId: number, account: Address): string {
  return `${subnetId}/${account}`;
}

type Fact<T extends ChainFact['type']> = Extract<ChainFact, { type: T }>;

const folds: { [T in ChainFact['type']]: (draft: Draft, fact: Fact<T>) => void } = {
  SeatsStaked: (draft, fact) => changePosition(draft, fact, (p) => ({ seats: p.seats + fact.seats })),
  UnstakeRequested: (draft, fact) =>
    changePosition(draft, fact, (p) => ({
      seats: p.seats - fact.seats,
      unstaking: p.unstaking + fact.seats,
      unlockAt: fact.unlockAt,
    })),
  StakeWithdrawn: (draft, fact) =>
    changePosition(draft, fact, (p) => ({ unstaking: p.unstaking - fact.seats })),
  SeatSlashed: (draft, fact) => {
    draft.ledger.slashed += fact.amount;
    // A solver loses its bond, which is the seat; a verifier's seat backs several cases and stays.
    const lostSeats = fact.role === 'solver' ? 1 : 0;
    changePosition(draft, fact, (p) => ({ seats: p.seats - lostSeats, slashed: p.slashed + fact.amount }));
  },
  PositionJailed: (draft, fact) => changePosition(draft, fact, () => ({ jailed: true })),

  SubnetCreated: (draft, { subnetId, owner }) => draft.subnets.set(subnetId, { owner, state: 'open' }),
  SubnetPaused: (draft, fact) => changeSubnet(draft, fact, 'paused'),
  SubnetResumed: (draft, fact) => changeSubnet(draft, fact, 'open'),
  SubnetClosed: (draft, fact) => changeSubnet(draft, fact, 'closed'),
  BondReturned: () => {},

  SeedFulfilled: (draft, fact) => draft.seeds.set(fact.epoch, fact.seed),

  BatchCreated: addBatch,
  TaskAssigned: (draft, { taskId, solver, attempt, solveBy }) =>
    changeTask(draft, taskId, { state: 'assigned', solver, attempt, solveBy }),
  TaskSubmitted: (draft, { taskId, traceRoot, resultRoot, leavesBlob, challengeBy, blockNumber }) =>
    changeTask(draft, taskId, {
      state: 'submitted',
      submittedBlock: blockNumber,
      submission: { traceRoot, resultRoot, leavesBlob },
      challengeBy,
    }),
  TaskUndecided: (draft, { taskId, challengeBy }) =>
    changeTask(draft, taskId, { state: 'undecided', challengeBy }),
  TaskAccepted: (draft, fact) => {
    draft.ledger.paidToSolvers += draft.tasks.get(fact.taskId)?.price ?? 0n;
    changeTask(draft, fact.taskId, { state: 'accepted' });
  },
  TaskRejected: (draft, fact) => changeTask(draft, fact.taskId, { state: 'rejected' }),
  TaskReopened: (draft, { taskId, attempt, blockNumber, timestamp }) =>
    changeTask(draft, taskId, {
      state: 'open',
      attempt,
      requestBlock: blockNumber,
      openedAt: timestamp,
      solver: null,
      solveBy: null,
    }),
  TaskExpired: (draft, fact) => changeTask(draft, fact.taskId, { state: 'expired' }),
  TaskCancelled: (draft, fact) => changeTask(draft, fact.taskId, { state: 'cancelled' }),
  TaskVoided: (draft, fact) => changeTask(draft, fact.taskId, { state: 'voided' }),

  DisputeCommitted: (draft, { commitment, disputer, bond }) =>
    draft.commitments.set(commitmentKey(disputer, commitment), { disputer, bond }),
  CommitmentOpened: (draft, { commitment, caseId }) => {
    const disputer = draft.cases.get(caseId)?.disputer;
    if (disputer !== undefined) draft.commitments.delete(commitmentKey(disputer, commitment));
  },
  CommitmentDropped: (draft, { commitment, disputer }) =>
    draft.commitments.delete(commitmentKey(disputer, commitment)),
  LeavesDemanded: (draft, { taskId, by, answerBy }) =>
    changeTask(draft, taskId, { demand: { by, answerBy, closed: false } }),
  LeavesPublished: (draft, { taskId, leaves, challengeBy }) => {
    // Where the task has ended meanwhile, there is no new time to dispute it.
    changeTask(draft, taskId, { leaves, ...(challengeBy === 0 ? {} : { challengeBy }) });
    closeDemand(draft, taskId);
  },
  DemandClosed: (draft, { taskId }) => closeDemand(draft, taskId),
  CheckerDrawn: drawChecker,
  CheckCommitted: (draft, { taskId, answerBy }) =>
    changeCheck(draft, taskId, { phase: 'answer', deadline: answerBy }),
  AnswersOpened: (draft, { taskId, answers, revealBy }) =>
    changeCheck(draft, taskId, { phase: 'reveal', answers, deadline: revealBy }),
  CheckRevealed: (draft, { taskId, answers: revealed, challengeBy }) => {
    const isEqual = challengeBy === 0;
    changeCheck(draft, taskId, { revealed, phase: isEqual ? 'over' : 'dispute', deadline: challengeBy });
    if (!isEqual) changeTask(draft, taskId, { challengeBy });
  },
  CheckerReplaced: (draft, { taskId, drawBy, blockNumber }) =>
    changeCheck(draft, taskId, { phase: 'drawing', deadline: drawBy, requestBlock: blockNumber }),
  CheckClosed: (draft, { taskId, outcome }) => changeCheck(draft, taskId, { phase: 'over', outcome }),
  ScoreChanged: (draft, { subnetId, account, score }) => draft.scores.set(scoreKey(subnetId, account), score),
  CaseOpened: openCase,
  RoundOpened: openRound,
  ReplacementOpened: (draft, fact) =>
    changeRound(draft, fact, () => ({
      phase: 'drawing',
      requestBlock: fact.blockNumber,
      openedAt: fact.timestamp,
    })),
  SeatDrawn: (draft, fact) =>
    changeRound(draft, fact, (round) => ({
      seats: withSeat(round.seats, emptySeat(fact.seat, fact.voter)),
    })),
  VotingOpened: (draft, fact) =>
    changeRound(draft, fact, ({ votingBlock }) => ({
      phase: 'commit',
      commitBy: fact.commitBy,
      // Seats that voted before absent ones were replaced keep their votes.
      votingBlock: votingBlock ?? fact.blockNumber,
    })),
  VoteCommitted: (draft, fact) => changeSeat(draft, fact, { committed: true }),
  RevealOpened: (draft, fact) =>
    changeRound(draft, fact, () => ({ phase: 'reveal', revealBy: fact.revealBy })),
  VoteRevealed: (draft, fact) => changeSeat(draft, fact, { verdict: fact.verdict, answer: fact.answer }),
  RoundRuled: (draft, fact) =>
    changeRound(draft, fact, () => ({ phase: 'ruled', ruling: fact.verdict, appealBy: fact.appealBy })),
  CaseSettled: settleCase,
  CaseMoot: (draft, { caseId }) =>
    changeCase(draft, caseId, () => ({ settled: true, verdict: 'none', moot: true })),
  SeatClosed: (draft, fact) => {
    draft.ledger.paidToVerifiers += fact.paid;
    changeSeat(draft, fact, { closed: true, paid: fact.paid, slashed: fact.slashed });
  },

  OuterStepAppended: (draft, { buyer, subnetId, jobId, round, stateRoot, chainHash }) => {
    if (draft.subnetId !== null && draft.subnetId !== subnetId) return;
    const job = { buyer, subnetId, jobId, rounds: round + 1, stateRoot, chainHash };
    draft.jobs.set(jobKey(job), job);
  },

  Deposited: (draft, fact) => {
    draft.ledger.deposited += fact.amount;
  },
  Withdrawn: (draft, fact) => {
    draft.ledger.withdrawn += fact.amount;
  },
  Burned: (draft, fact) => {
    draft.ledger.burned += fact.amount;
  },
};

function fold(draft: Draft, fact: ChainFact): void {
  // The table is keyed by the discriminant, which TypeScript can not follow through an index.
  const apply = folds[fact.type] as (draft: Draft, fact: ChainFact) => void;
  apply(draft, fact);
}

function addBatch(draft: Draft, fact: Fact<'BatchCreated'>): void {
  const { batchId, subnetId, paramsVersion, buyer, jobId, round, innerSteps, baseRoot, specHash, price } =
    fact;
  if (draft.subnetId !== null && draft.subnetId !== subnetId) return;
  const shared = { buyer, price, subnetId, paramsVersion, round, innerSteps, jobId, baseRoot, specHash };
  const terms: Terms = { ...shared, slots: slotBits(fact.slots), salt: fact.salt };
  fact.taskIds.forEach((taskId, i) => {
    const slot = fact.slots[i];
    if (slot === undefined) return;
    draft.tasks.set(taskId, {
      taskId,
      batchId,
      subnetId,
      paramsVersion,
      buyer,
      jobId,
      round,
      slot,
      baseRoot,
      specHash,
      price,
      terms,
      state: 'open',
      requestBlock: fact.blockNumber,
      openedAt: fact.timestamp,
      attempt: 1,
      solver: null,
      solveBy: null,
      submission: null,
      submittedBlock: null,
      challengeBy: null,
      demand: null,
      leaves: null,
      disputer: null,
      disputedStep: null,
    });
  });
}

function changeSubnet(
  { subnets }: Draft,
  { subnetId }: { subnetId: number },
  state: SubnetView['state'],
): void {
  const subnet = subnets.get(subnetId);
  if (subnet !== undefined) subnets.set(subnetId, { ...subnet, state });
}

function openCase(draft: Draft, fact: Fact<'CaseOpened'>): void {
  const { taskId, caseId, disputer, step, before, next, timestamp: openedAt } = fact;
  const stateBlob = fact.stateBlob === noHash ? null : fact.stateBlob;
  if (!draft.tasks.has(taskId)) return;
  const isUndecided = draft.tasks.get(taskId)?.state === 'undecided';
  const state = isUndecided ? 'undecided' : 'disputed';
  changeTask(draft, taskId, { state, disputer, disputedStep: step });
  const undecided = { rounds: [], settled: false, verdict: null, burned: 0n, moot: false };
  draft.cases.set(caseId, {
    ...{ caseId, taskId, disputer, openedAt, step, before, next, stateBlob },
    ...undecided,
  });
}

export function hasOpenCase({ cases }: Pick<MarketView, 'cases'>, taskId: Hex32): boolean {
  return [...cases.values()].some((kase) => kase.taskId === taskId && !kase.settled);
}

function closeDemand(draft: Draft, taskId: Hex32): void {
  const demand = draft.tasks.get(taskId)?.demand;
  if (demand) changeTask(draft, taskId, { demand: { ...demand, closed: true } });
}

/** A task that survives its last open case waits to be accepted again. */
function settleCase(draft: Draft, { caseId, verdict, burned }: Fact<'CaseSettled'>): void {
  changeCase(draft, caseId, () => ({ settled: true, verdict, burned }));
  const taskId = draft.cases.get(caseId)?.taskId;
  if (taskId === undefined || draft.tasks.get(taskId)?.state !== 'disputed') return;
  if (!hasOpenCase(draft, taskId)) changeTask(draft, taskId, { state: 'submitted' });
}

function openRound(draft: Draft, fact: Fact<'RoundOpened'>): void {
  const { caseId, round, size, payer, fee, blockNumber, timestamp } = fact;
  const opened: RoundView = {
    round,
    size,
    payer,
    fee,
    phase: 'drawing',
    requestBlock: blockNumber,
    openedAt: timestamp,
    votingBlock: null,
    commitBy: null,
    revealBy: null,
    appealBy: null,
    ruling: null,
    seats: [],
  };
  changeCase(draft, caseId, ({ rounds }) => ({ rounds: [...rounds, opened] }));
}

function changeTask(draft: Draft, taskId: Hex32, change: Partial<TaskView>): void {
  const task = draft.tasks.get(taskId);
  if (task !== undefined) draft.tasks.set(taskId, { ...task, ...change });
}

function drawChecker(draft: Draft, fact: Fact<'CheckerDrawn'>): void {
  const { taskId, checker, attempt, whole, roll, commitBy, blockNumber } = fact;
  if (!draft.tasks.has(taskId)) return;
  const drawn = { taskId, checker, attempt, whole, roll, requestBlock: blockNumber };
  const ahead = { answers: null, revealed: null, outcome: null };
  draft.checks.set(taskId, { ...drawn, ...ahead, phase: 'commit', deadline: commitBy });
}

function changeCheck(draft: Draft, taskId: Hex32, change: Partial<CheckView>): void {
  const check = draft.checks.get(taskId);
  if (check !== undefined) draft.checks.set(taskId, { ...check, ...change });
}

function changeCase(draft: Draft, caseId: Hex32, change: (kase: CaseView) => Partial<CaseView>): void {
  const kase = draft.cases.get(caseId);
  if (kase !== undefined) draft.cases.set(caseId, { ...kase, ...change(kase) });
}

function changeRound(
  draft: Draft,
  at: { caseId: Hex32; round: number },
  change: (round: RoundView) => Partial<RoundView>,
): void {
  changeCase(draft, at.caseId, (kase) => ({
    rounds: kase.rounds.map((round) => (round.round === at.round ? { ...round, ...change(round) } : round)),
  }));
}

function changeSeat(
  draft: Draft,
  at: { caseId: Hex32; round: number; seat: number; voter: Address },
  change: Partial<SeatView>,
): void {
  changeRound(draft, at, (round) => ({
    seats: withSeat(round.seats, {
      ...(round.seats.find((seat) => seat.seat === at.seat) ?? emptySeat(at.seat, at.voter)),
      ...change,
    }),
  }));
}

function withSeat(seats: SeatView[], value: SeatView): SeatView[] {
  return [...seats.filter((other) => other.seat !== value.seat), value].sort((a, b) => a.seat - b.seat);
}

function emptySeat(seat: number, voter: Address): SeatView {
  return { seat, voter, committed: false, verdict: null, answer: null, closed: false, paid: 0n, slashed: 0n };
}

function changePosition(
  draft: Draft,
  at: { subnetId: number; role: Role; account: Address; blockNumber: number },
  change: (position: PositionView) => Partial<PositionView>,
): void {
  const { subnetId, role, account } = at;
  const key = positionKey(subnetId, role, account);
  const position = draft.positions.get(key) ?? {
    subnetId,
    role,
    account,
    seats: 0,
    stakedBlock: at.blockNumber,
    unstaking: 0,
    unlockAt: 0,
    jailed: false,
    slashed: 0n,
  };
  draft.positions.set(key, { ...position, ...change(position) });
}

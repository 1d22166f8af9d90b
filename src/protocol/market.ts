/** The market, rebuilt from what happened on chain. Pure: the same facts give the same view. */
import type { ChainFact } from './facts.js';
import {
  changeCase,
  changeCheck,
  changePosition,
  changeRound,
  changeSeat,
  changeSubnet,
  changeTask,
  type Draft,
  draftOf,
  emptySeat,
  withSeat,
} from './marketDraft.js';
import { hasOpenCase } from './marketQueries.js';
import { commitmentKey, type MarketView, type RoundView, scoreKey } from './marketView.js';
import { jobKey } from './outerSteps.js';
import type { Hex32 } from './task.js';
import { slotBits, type Terms } from './terms.js';

const noHash: Hex32 = `0x${'00'.repeat(32)}`;

/** The view after one more fact. Facts come in block order; the input is not changed. */
export function applyFact(view: MarketView, fact: ChainFact): MarketView {
  return applyFacts(view, [fact]);
}

/** The view after many facts: one copy for all of them. */
export function applyFacts(view: MarketView, facts: readonly ChainFact[]): MarketView {
  if (facts.length === 0) return view;
  const draft = draftOf(view);
  for (const fact of facts) {
    draft.block = Math.max(draft.block, fact.blockNumber);
    fold(draft, fact);
  }
  return draft;
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
    // A solver loses its bond, which is the seat, and of those asked back where it has no other; a verifier's seat backs several
    // cases and stays.
    const lost = fact.role === 'solver' ? 1 : 0;
    changePosition(draft, fact, ({ seats, unstaking, slashed }) => ({
      ...(seats > 0 ? { seats: seats - lost } : { unstaking: unstaking - lost }),
      slashed: slashed + fact.amount,
    }));
  },
  PositionJailed: (draft, fact) => changePosition(draft, fact, () => ({ jailed: true })),

  SubnetCreated: (draft, { subnetId, owner }) =>
    draft.subnets.set(subnetId, { owner, state: 'open', version: 0, versionFrom: 0 }),
  ParamsAdded: (draft, { subnetId, version, from: versionFrom }) =>
    changeSubnet(draft, { subnetId }, { version, versionFrom }),
  SubnetPaused: (draft, fact) => changeSubnet(draft, fact, { state: 'paused' }),
  SubnetResumed: (draft, fact) => changeSubnet(draft, fact, { state: 'open' }),
  SubnetClosed: (draft, fact) => changeSubnet(draft, fact, { state: 'closed' }),
  BondReturned: () => {},

  SeedFulfilled: (draft, fact) => draft.seeds.set(fact.epoch, fact.seed),

  BatchCreated: addBatch,
  TaskAssigned: (draft, { taskId, solver, attempt, timestamp }) => {
    // Journals of before do not say how long it has: NaN, and unknown.
    const end = timestamp + Number(draft.tasks.get(taskId)?.solveSeconds);
    const solveBy = Number.isNaN(end) ? null : end;
    changeTask(draft, taskId, { state: 'assigned', solver, attempt, solveBy });
  },
  TaskSubmitted: (draft, { taskId, traceRoot, resultRoot, leavesBlob, challengeBy, blockNumber }) =>
    changeTask(draft, taskId, {
      state: 'submitted',
      submittedBlock: blockNumber,
      submission: { traceRoot, resultRoot, leavesBlob },
      challengeBy,
    }),
  TaskUndecided: (draft, { taskId, challengeBy }) =>
    changeTask(draft, taskId, { state: 'undecided', challengeBy }),
  TaskDecided: (draft, { taskId }) =>
    changeTask(draft, taskId, { state: hasOpenCase(draft, taskId) ? 'disputed' : 'submitted' }),
  TaskAccepted: (draft, { taskId, blockNumber: acceptedBlock }) => {
    draft.ledger.paidToSolvers += draft.tasks.get(taskId)?.price ?? 0n;
    changeTask(draft, taskId, { state: 'accepted', acceptedBlock });
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

  DisputeCommitted: (draft, { commitment, disputer, bond, blockNumber: block }) =>
    draft.commitments.set(commitmentKey(disputer, commitment), { disputer, bond, block }),
  CommitmentOpened: (draft, { commitment, caseId }) => {
    const disputer = draft.cases.get(caseId)?.disputer;
    if (disputer !== undefined) draft.commitments.delete(commitmentKey(disputer, commitment));
  },
  CommitmentDropped: (draft, { commitment, disputer }) =>
    draft.commitments.delete(commitmentKey(disputer, commitment)),
  LeavesDemanded: (draft, { taskId, by, timestamp: demandedAt, answerBy }) =>
    changeTask(draft, taskId, { demand: { by, demandedAt, answerBy, closed: false } }),
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
      solveSeconds: fact.solveSeconds,
      solver: null,
      solveBy: null,
      submission: null,
      submittedBlock: null,
      acceptedBlock: null,
      challengeBy: null,
      demand: null,
      leaves: null,
      disputer: null,
      disputedStep: null,
    });
  });
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

function drawChecker(draft: Draft, fact: Fact<'CheckerDrawn'>): void {
  const { taskId, checker, attempt, whole, roll, commitBy, blockNumber } = fact;
  if (!draft.tasks.has(taskId)) return;
  const drawn = { taskId, checker, attempt, whole, roll, requestBlock: blockNumber };
  const ahead = { answers: null, revealed: null, outcome: null };
  draft.checks.set(taskId, { ...drawn, ...ahead, phase: 'commit', deadline: commitBy });
}

/** Tasks, disputes and money as the chain told them, in bounded memory: what is finished is counted and then forgotten. Pure. */
import type { StampedEvent } from '../events/types.js';

export type Fact = Extract<StampedEvent, { type: 'chain.fact' }>['fact'];

export type TaskState = 'open' | 'assigned' | 'submitted' | 'disputed' | 'accepted' | 'rejected' | 'gone';

export interface TaskModel {
  taskId: string;
  round: number;
  slot: number;
  /** token units */
  price: bigint;
  state: TaskState;
  /** address */
  solver: string | null;
  attempt: number;
  /** unix seconds of the chain */
  assignedAt: number | null;
  /** of the current state */
  changedAt: number;
  /** null while nobody was drawn to look at it */
  check: CheckModel | null;
}

/** unchecked: two have declined, or there was no second one */
type CheckEnd = 'passed' | 'convicted' | 'moot' | 'failed' | 'unchecked' | 'absent';

/** The newest check that was drawn; open ones by what has happened last. */
export interface CheckModel {
  /** address */
  checker: string;
  state: 'drawn' | 'looked' | 'answered' | 'differs' | 'declined' | CheckEnd;
}

export interface PanelModel {
  round: number;
  size: number;
  fee: bigint;
  /** by seat; verdict null until it is revealed */
  votes: readonly { seat: number; voter: string; verdict: string | null }[];
  ruling: string | null;
}

export interface DisputeModel {
  caseId: string;
  taskId: string;
  /** addresses */
  solver: string | null;
  disputer: string;
  /** the first wrong one, as the disputer says */
  step: number;
  openedAt: number;
  panels: readonly PanelModel[];
  /** null while it is open */
  verdict: string | null;
  slashed: bigint;
}

export interface TaskCounts {
  posted: number;
  submitted: number;
  accepted: number;
  rejected: number;
  /** missed their deadline and were drawn again */
  late: number;
  /** expired, cancelled, voided */
  gone: number;
  disputed: number;
  /** disputes that were right, and that were not */
  upheld: number;
  lost: number;
  /** checks that were drawn, and those whose solver was right, or was convicted */
  drawn: number;
  passed: number;
  convicted: number;
}

export interface MarketModel {
  /** of the last fact */
  block: number;
  /** unix seconds of the chain */
  blockTime: number;
  facts: number;
  tasks: ReadonlyMap<string, TaskModel>;
  disputes: ReadonlyMap<string, DisputeModel>;
  counts: TaskCounts;
  /** seconds from draw to submission of the last tasks */
  solveSeconds: readonly number[];
  /** token units: at risk now, and lost for good */
  staked: bigint;
  slashed: bigint;
  burned: bigint;
}

const finishedTasksKept = 64;
const settledDisputesKept = 32;
const solveSecondsKept = 200;

export const emptyMarket: MarketModel = {
  block: 0,
  blockTime: 0,
  facts: 0,
  tasks: new Map(),
  disputes: new Map(),
  counts: {
    ...{ posted: 0, submitted: 0, accepted: 0, rejected: 0, late: 0, gone: 0 },
    ...{ disputed: 0, upheld: 0, lost: 0, drawn: 0, passed: 0, convicted: 0 },
  },
  solveSeconds: [],
  staked: 0n,
  slashed: 0n,
  burned: 0n,
};

export function isFinished({ state }: TaskModel): boolean {
  return state === 'accepted' || state === 'rejected' || state === 'gone';
}

/** "assigned/active" of the paper's screen: tasks that wait for a result, and those of them that have a solver. */
export function taskLoad({ tasks }: MarketModel): { assigned: number; active: number } {
  const states = [...tasks.values()].map(({ state }) => state);
  const assigned = states.filter((state) => state === 'assigned').length;
  return { assigned, active: assigned + states.filter((state) => state === 'open').length };
}

/** The market after one more fact; the input is not changed. */
export function afterFact(market: MarketModel, fact: Fact): MarketModel {
  const { facts } = market;
  const next = { ...market, block: fact.blockNumber, blockTime: fact.timestamp, facts: facts + 1 };
  switch (fact.type) {
    case 'BatchCreated':
      return withBatch(next, fact);
    case 'TaskAssigned': {
      const { taskId, solver, attempt, timestamp } = fact;
      return withTask(next, fact, taskId, { state: 'assigned', solver, attempt, assignedAt: timestamp });
    }
    case 'TaskSubmitted':
      return withTask(withSolveTime(counted(next, 'submitted'), fact), fact, fact.taskId, {
        state: 'submitted',
      });
    case 'CaseOpened':
      return withTask(withDispute(counted(next, 'disputed'), fact), fact, fact.taskId, { state: 'disputed' });
    case 'TaskAccepted':
      return withTask(counted(next, 'accepted'), fact, fact.taskId, { state: 'accepted' });
    case 'TaskRejected':
      return withTask(counted(next, 'rejected'), fact, fact.taskId, { state: 'rejected' });
    case 'TaskReopened':
      return withTask(counted(next, 'late'), fact, fact.taskId, {
        ...{ state: 'open', solver: null, assignedAt: null, attempt: fact.attempt },
      });
    case 'TaskExpired':
    case 'TaskCancelled':
    case 'TaskVoided':
      return withTask(counted(next, 'gone'), fact, fact.taskId, { state: 'gone' });
    case 'RoundOpened': {
      const { round, size, fee } = fact;
      const panel: PanelModel = { round, size, fee, votes: [], ruling: null };
      return withCase(next, fact.caseId, ({ panels }) => ({ panels: [...panels, panel] }));
    }
    case 'SeatDrawn':
      return withVote(next, fact, null);
    case 'VoteRevealed':
      return withVote(next, fact, fact.verdict);
    case 'RoundRuled':
      return withPanel(next, fact, () => ({ ruling: fact.verdict }));
    case 'CaseSettled': {
      const verdict = fact.verdict;
      const settled = withCase(next, fact.caseId, () => ({ verdict }));
      return forgetDisputes(verdict === 'valid' ? counted(settled, 'lost') : counted(settled, 'upheld'));
    }
    case 'CheckerDrawn': {
      const isFirst = fact.attempt === 1;
      return withCheck(isFirst ? counted(next, 'drawn') : next, fact, {
        checker: fact.checker,
        state: 'drawn',
      });
    }
    case 'CheckCommitted':
      return withCheck(next, fact, { checker: fact.checker, state: 'looked' });
    case 'AnswersOpened':
      return withCheck(next, fact, { state: 'answered' });
    case 'CheckRevealed':
      return fact.challengeBy === 0 ? next : withCheck(next, fact, { state: 'differs' });
    case 'CheckerReplaced':
      return withCheck(next, fact, { state: fact.bond === 0n ? 'declined' : 'absent' });
    case 'CheckClosed': {
      const state = fact.outcome === 'unchecked' && fact.lost > 0n ? 'absent' : checkEnds[fact.outcome];
      const isCounted = state === 'passed' || state === 'convicted';
      return withCheck(isCounted ? counted(next, state) : next, fact, { checker: fact.checker, state });
    }
    case 'CaseMoot':
      return forgetDisputes(withCase(next, fact.caseId, () => ({ verdict: 'moot' })));
    case 'SeatsStaked':
      return { ...next, staked: next.staked + fact.amount };
    case 'StakeWithdrawn':
      return { ...next, staked: next.staked - fact.amount };
    case 'SeatSlashed': {
      const { amount, caseId } = fact;
      const totals = { ...next, staked: next.staked - amount, slashed: next.slashed + amount };
      return withCase(totals, caseId, ({ slashed }) => ({ slashed: slashed + amount }));
    }
    case 'Burned':
      return { ...next, burned: next.burned + fact.amount };
    default:
      return next;
  }
}

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;

function counted(market: MarketModel, what: keyof TaskCounts): MarketModel {
  return { ...market, counts: { ...market.counts, [what]: market.counts[what] + 1 } };
}

function withBatch(market: MarketModel, fact: FactOf<'BatchCreated'>): MarketModel {
  const tasks = new Map(market.tasks);
  fact.taskIds.forEach((taskId, i) => {
    tasks.set(taskId, {
      ...{ taskId, round: fact.round, slot: fact.slots[i] ?? 0, price: fact.price, state: 'open' },
      ...{ solver: null, attempt: 1, assignedAt: null, changedAt: fact.timestamp, check: null },
    });
  });
  const { counts } = market;
  return { ...market, tasks, counts: { ...counts, posted: counts.posted + fact.taskIds.length } };
}

/** A finished task moves to the end, so that the oldest finished ones are first when there are too many. */
function withTask(
  market: MarketModel,
  { timestamp }: Fact,
  taskId: string,
  change: Partial<TaskModel>,
): MarketModel {
  const known = market.tasks.get(taskId);
  if (known === undefined) return market;
  const tasks = new Map(market.tasks);
  tasks.delete(taskId);
  tasks.set(taskId, { ...known, ...change, changedAt: timestamp });
  const finished = [...tasks.values()].filter(isFinished);
  for (const { taskId: old } of finished.slice(0, -finishedTasksKept)) tasks.delete(old);
  return { ...market, tasks };
}

const checkEnds: Record<FactOf<'CheckClosed'>['outcome'], CheckEnd> = {
  ...{ passed: 'passed', rejected: 'convicted', silent: 'convicted' },
  ...{ moot: 'moot', checkerFailed: 'failed', unchecked: 'unchecked' },
};

/** It says nothing about the state of the task, nor since when that is. */
function withCheck(
  market: MarketModel,
  { taskId }: { taskId: string },
  change: Partial<CheckModel>,
): MarketModel {
  const task = market.tasks.get(taskId);
  if (task === undefined) return market;
  const check = { checker: '', state: 'drawn', ...task.check, ...change } as const;
  return { ...market, tasks: new Map(market.tasks).set(taskId, { ...task, check }) };
}

function withSolveTime(market: MarketModel, { taskId, timestamp }: FactOf<'TaskSubmitted'>): MarketModel {
  const drawnAt = market.tasks.get(taskId)?.assignedAt;
  if (drawnAt === null || drawnAt === undefined) return market;
  return {
    ...market,
    solveSeconds: [...market.solveSeconds, timestamp - drawnAt].slice(-solveSecondsKept),
  };
}

function withDispute(market: MarketModel, fact: FactOf<'CaseOpened'>): MarketModel {
  const { taskId, caseId, disputer, step, timestamp } = fact;
  const solver = market.tasks.get(taskId)?.solver ?? null;
  const disputes = new Map(market.disputes);
  disputes.set(caseId, {
    ...{ caseId, taskId, solver, disputer, step, openedAt: timestamp, verdict: null, slashed: 0n },
    panels: [],
  });
  return { ...market, disputes };
}

/** id: of the case, or of its task, whose newest case is then meant */
function withCase(
  market: MarketModel,
  id: string,
  change: (dispute: DisputeModel) => Partial<DisputeModel>,
): MarketModel {
  const known =
    market.disputes.get(id) ?? [...market.disputes.values()].findLast(({ taskId }) => taskId === id);
  if (known === undefined) return market;
  const disputes = new Map(market.disputes).set(known.caseId, { ...known, ...change(known) });
  return { ...market, disputes };
}

function withPanel(
  market: MarketModel,
  at: { caseId: string; round: number },
  change: (panel: PanelModel) => Partial<PanelModel>,
): MarketModel {
  return withCase(market, at.caseId, ({ panels }) => ({
    panels: panels.map((panel) => (panel.round === at.round ? { ...panel, ...change(panel) } : panel)),
  }));
}

function withVote(
  market: MarketModel,
  at: { caseId: string; round: number; seat: number; voter: string },
  verdict: string | null,
): MarketModel {
  const { seat, voter } = at;
  return withPanel(market, at, ({ votes }) => ({
    votes: [...votes.filter((vote) => vote.seat !== seat), { seat, voter, verdict }].sort(
      (a, b) => a.seat - b.seat,
    ),
  }));
}

function forgetDisputes(market: MarketModel): MarketModel {
  const settled = [...market.disputes.values()].filter(({ verdict }) => verdict !== null);
  if (settled.length <= settledDisputesKept) return market;
  const disputes = new Map(market.disputes);
  for (const { caseId } of settled.slice(0, -settledDisputesKept)) disputes.delete(caseId);
  return { ...market, disputes };
}

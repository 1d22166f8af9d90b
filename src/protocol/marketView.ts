/** What is known of the market, as one value. How it comes about is in market.ts; questions about it are in marketQueries.ts. */
import type { CheckOutcome, Role, Verdict } from './facts.js';
import type { JobRef } from './outerSteps.js';
import type { Address, Hex32, Submission } from './task.js';
import type { Terms } from './terms.js';

/** undecided: a case about it ended without a verdict; it is not accepted unless a later one finds the same step right */
export const taskStates = [
  ...(['open', 'assigned', 'submitted', 'disputed', 'undecided'] as const),
  ...(['accepted', 'rejected', 'expired', 'cancelled', 'voided'] as const),
] as const;
export type TaskState = (typeof taskStates)[number];

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
  /** from an assignment to its solveBy */
  solveSeconds: number;
  solver: Address | null;
  solveBy: number | null;
  submission: Submission | null;
  submittedBlock: number | null;
  acceptedBlock: number | null;
  challengeBy: number | null;
  /** somebody can not get the trace's leaves and has asked for them on chain; null when nobody has */
  demand: { by: Address; demandedAt: number; answerBy: number; closed: boolean } | null;
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
  /** in which it was made */
  block: number;
}

export interface SubnetView {
  owner: Address;
  /** of its parameters, the newest; from epoch `versionFrom` on tasks are posted under it */
  version: number;
  versionFrom: number;
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

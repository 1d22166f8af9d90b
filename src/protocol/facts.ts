/** What can happen on chain, named exactly as in Solidity. `chain/watch.ts` decodes logs into these, in block order. */
import type { Address, Hex32 } from './task.js';

interface At {
  blockNumber: number;
  logIndex: number;
  transactionHash: Hex32;
  /** unix seconds of the block */
  timestamp: number;
}

export type Role = 'solver' | 'verifier';
export type Verdict = 'valid' | 'invalid' | 'unavailable';

/** How a check ended, as in IAudit.sol.
 *  passed          both answered the same
 *  rejected        the task was rejected after the answers had differed, or the time to give them had passed
 *  moot            the task ended otherwise, or a case about it without a verdict
 *  silent          nobody said what the solver's trace is made of: the solver is convicted
 *  checkerFailed   answers that differ from those of a trace nobody could fault, or that were never opened
 *  unchecked       nobody looked: two were absent or declined, or there was no second one */
export type CheckOutcome = 'passed' | 'rejected' | 'moot' | 'silent' | 'checkerFailed' | 'unchecked';

export type ChainFact = At &
  (
    | { type: 'SeatsStaked'; subnetId: number; role: Role; account: Address; seats: number; amount: bigint }
    | {
        type: 'UnstakeRequested';
        subnetId: number;
        role: Role;
        account: Address;
        seats: number;
        unlockAt: number;
      }
    | {
        type: 'StakeWithdrawn';
        subnetId: number;
        role: Role;
        account: Address;
        seats: number;
        amount: bigint;
      }
    | { type: 'SeatSlashed'; subnetId: number; role: Role; account: Address; amount: bigint; caseId: Hex32 }
    | { type: 'PositionJailed'; subnetId: number; role: Role; account: Address }
    | { type: 'SubnetCreated'; subnetId: number; owner: Address; metadataHash: Hex32; bond: bigint }
    /** from: epoch from which on tasks are posted under it, those before under the version before; 0 of the first */
    | { type: 'ParamsAdded'; subnetId: number; version: number; from: number }
    | { type: 'SubnetPaused'; subnetId: number }
    | { type: 'SubnetResumed'; subnetId: number }
    /** bondAt: from then on its bond can go back to the owner */
    | { type: 'SubnetClosed'; subnetId: number; bondAt: number }
    | { type: 'BondReturned'; subnetId: number; owner: Address; bond: bigint }
    | { type: 'SeedFulfilled'; epoch: number; seed: Hex32 }
    | {
        type: 'BatchCreated';
        batchId: Hex32;
        buyer: Address;
        subnetId: number;
        paramsVersion: number;
        jobId: Hex32;
        round: number;
        innerSteps: number;
        baseRoot: Hex32;
        specHash: Hex32;
        price: bigint;
        salt: number;
        slots: number[];
        taskIds: Hex32[];
        epoch: number;
        openBy: number;
        solveSeconds: number;
      }
    | {
        type: 'TaskAssigned';
        taskId: Hex32;
        solver: Address;
        attempt: number;
        epoch: number;
      }
    | {
        type: 'TaskSubmitted';
        taskId: Hex32;
        solver: Address;
        traceRoot: Hex32;
        resultRoot: Hex32;
        leavesBlob: Hex32;
        challengeBy: number;
      }
    /** challengeBy: it can be disputed again until then */
    | { type: 'TaskUndecided'; taskId: Hex32; challengeBy: number }
    | { type: 'TaskDecided'; taskId: Hex32 }
    | { type: 'TaskAccepted'; taskId: Hex32; solver: Address }
    | { type: 'TaskRejected'; taskId: Hex32; solver: Address }
    | { type: 'TaskReopened'; taskId: Hex32; solver: Address; attempt: number; penalty: bigint }
    /** burned: the price, where the attempts were used up; otherwise it went back */
    | { type: 'TaskExpired'; taskId: Hex32; burned: bigint }
    | { type: 'TaskCancelled'; taskId: Hex32 }
    | { type: 'TaskVoided'; taskId: Hex32 }
    | {
        type: 'CaseOpened';
        taskId: Hex32;
        caseId: Hex32;
        disputer: Address;
        /** k of the transition k -> k + 1 */
        step: number;
        /** S_k and S_{k+1} of the solver's trace */
        before: Hex32;
        next: Hex32;
        /** of X_k; zeros where the disputer published none */
        stateBlob: Hex32;
      }
    | {
        type: 'RoundOpened';
        caseId: Hex32;
        round: number;
        size: number;
        payer: Address;
        fee: bigint;
        epoch: number;
      }
    | { type: 'ReplacementOpened'; caseId: Hex32; round: number; seats: number; epoch: number }
    | { type: 'SeatDrawn'; caseId: Hex32; round: number; seat: number; voter: Address }
    | { type: 'VotingOpened'; caseId: Hex32; round: number; commitBy: number }
    | { type: 'VoteCommitted'; caseId: Hex32; round: number; seat: number; voter: Address }
    | { type: 'RevealOpened'; caseId: Hex32; round: number; revealBy: number }
    | {
        type: 'VoteRevealed';
        caseId: Hex32;
        round: number;
        seat: number;
        voter: Address;
        verdict: Verdict;
        answer: Hex32;
      }
    | { type: 'RoundRuled'; caseId: Hex32; round: number; verdict: Verdict | 'none'; appealBy: number }
    | { type: 'CaseSettled'; caseId: Hex32; verdict: Verdict | 'none'; rounds: number; burned: bigint }
    | { type: 'DisputeCommitted'; commitment: Hex32; disputer: Address; bond: bigint }
    | { type: 'CommitmentOpened'; commitment: Hex32; caseId: Hex32 }
    | { type: 'CommitmentDropped'; commitment: Hex32; disputer: Address; bond: bigint }
    | { type: 'LeavesDemanded'; taskId: Hex32; by: Address; fee: bigint; answerBy: number }
    | { type: 'LeavesPublished'; taskId: Hex32; by: Address; leaves: Hex32[]; challengeBy: number }
    /** withheld: the solver is convicted; otherwise the task had ended elsewhere */
    | { type: 'DemandClosed'; taskId: Hex32; withheld: boolean }
    | {
        type: 'CheckerDrawn';
        taskId: Hex32;
        checker: Address;
        /** 2 is in the place of a checker that was absent */
        attempt: number;
        whole: boolean;
        /** gives the steps, and is the seed of the answers */
        roll: Hex32;
        commitBy: number;
      }
    | { type: 'CheckCommitted'; taskId: Hex32; checker: Address; answerBy: number }
    | { type: 'AnswersOpened'; taskId: Hex32; answers: Hex32; revealBy: number }
    /** challengeBy: new where the answers differ, 0 where they are equal */
    | { type: 'CheckRevealed'; taskId: Hex32; checker: Address; answers: Hex32; challengeBy: number }
    /** bond: lost by a checker that was absent; nothing where it declined */
    | { type: 'CheckerReplaced'; taskId: Hex32; checker: Address; bond: bigint; drawBy: number }
    /** paid: to the checker, or nothing and the fee is the buyer's again; lost: bond of the checker, burned */
    | {
        type: 'CheckClosed';
        taskId: Hex32;
        checker: Address;
        outcome: CheckOutcome;
        paid: bigint;
        lost: bigint;
      }
    /** of a solver: how often it was checked and right, less its faults */
    | { type: 'ScoreChanged'; subnetId: number; account: Address; score: number }
    /** the task ended before the case did: fees and bonds go back */
    | { type: 'CaseMoot'; caseId: Hex32 }
    | {
        type: 'SeatClosed';
        caseId: Hex32;
        round: number;
        seat: number;
        voter: Address;
        paid: bigint;
        slashed: bigint;
      }
    /** of a buyer's job; taskIds: whose results went in, in slot order */
    | {
        type: 'OuterStepAppended';
        buyer: Address;
        subnetId: number;
        jobId: Hex32;
        round: number;
        baseRoot: Hex32;
        stateRoot: Hex32;
        contributionRoot: Hex32;
        chainHash: Hex32;
        taskIds: Hex32[];
      }
    | { type: 'Deposited'; account: Address; amount: bigint }
    | { type: 'Withdrawn'; account: Address; to: Address; amount: bigint }
    | { type: 'Burned'; amount: bigint }
  );

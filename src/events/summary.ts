/** What a run comes to. Its keys are an interface (docs/protocol.md, the summary of a run), versioned by `schema`. */
import type { MarketView, TaskState } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { formatTokens } from './amount.js';
import { type RunView, type SolvingView, solvingKey } from './projection.js';

/** Amounts are decimal strings in tokens, times are seconds, gas and bytes are whole numbers. */
export interface RunSummary {
  schema: 'panthalia-summary/1';
  runId: string;
  /** completed, interrupted or failed */
  outcome: string;
  preset: string;
  opset: string;
  /** outer steps applied */
  rounds: number;
  innerSteps: number;
  workers: number;
  /** trained on in accepted tasks */
  tokens: number;
  /** nats per token. first, last: mean training loss over the accepted tasks of the first and of the last round, at their
   *  first and at their last inner step. validation: after the last outer step. null where nothing was measured */
  loss: { first: number | null; last: number | null; validation: number | null };
  finalStateRoot: Hex32 | null;
  tasks: { posted: number; accepted: number; rejected: number; expired: number };
  disputes: {
    taskId: Hex32;
    /** k of the transition k -> k + 1 that the disputer named */
    step: number;
    verdict: string;
    /** panels that were drawn */
    rounds: number;
    /** taken from the solver and from wrong or absent verifiers */
    slashed: string;
  }[];
  slashed: Record<Address, string>;
  /** of the vault: deposited = paid + burned + held. paid: withdrawn; held: the vault's balance at the end */
  ledger: { deposited: string; paid: string; burned: string; held: string };
  wallSeconds: number;
  /** of all engines: solving, auditing, verifying */
  computeSeconds: number;
  bytes: { up: number; down: number };
  /** perTask: per accepted task; null without one */
  gas: { total: number; perTask: number | null };
  /** computeSeconds / the part of it spent on accepted solutions; null without one */
  multiplier: number | null;
}

/** vaultBalance: read from the chain at the end, so that `ledger` compares two independent counts; null when the chain was
 *  gone by then, and the difference has to do. */
export function summarise(view: RunView, vaultBalance: bigint | null): RunSummary {
  const { manifest, market } = view;
  const states = [...market.tasks.values()].map(({ state }) => state);
  const inState = (...wanted: TaskState[]) => states.filter((state) => wanted.includes(state)).length;
  const accepted = acceptedSolvings(view);
  const solvingSeconds = sum([...view.solvings.values()].map(({ computeSeconds }) => computeSeconds));
  const computeSeconds = solvingSeconds + view.checkSeconds;
  const usefulSeconds = sum(accepted.map((solving) => solving.computeSeconds));
  const acceptedCount = inState('accepted');
  const batchTokens = (manifest?.batch.rows ?? 0) * (manifest?.batch.tokens ?? 0);
  const gas = Number(view.gasUsed);
  const { deposited, withdrawn, burned } = market.ledger;
  return {
    schema: 'panthalia-summary/1',
    runId: view.run,
    outcome: view.outcome ?? 'failed',
    preset: manifest?.preset ?? '',
    opset: manifest?.opset ?? '',
    rounds: view.outerSteps.length,
    innerSteps: manifest?.innerSteps ?? 0,
    workers: view.workers,
    tokens: acceptedCount * (manifest?.innerSteps ?? 0) * batchTokens,
    loss: lossesOf(view, accepted),
    finalStateRoot: view.outerSteps.at(-1)?.stateRoot ?? null,
    tasks: {
      posted: states.length,
      accepted: acceptedCount,
      rejected: inState('rejected'),
      expired: inState('expired', 'cancelled', 'voided'),
    },
    disputes: disputesOf(view),
    slashed: slashedOf(market),
    ledger: {
      deposited: formatTokens(deposited),
      paid: formatTokens(withdrawn),
      burned: formatTokens(burned),
      held: formatTokens(vaultBalance ?? deposited - withdrawn - burned),
    },
    wallSeconds: round(secondsBetween(view.startedAt, view.endedAt)),
    computeSeconds: round(computeSeconds),
    bytes: { up: view.pushedBytes, down: view.pulledBytes },
    gas: { total: gas, perTask: acceptedCount === 0 ? null : Math.round(gas / acceptedCount) },
    multiplier: usefulSeconds === 0 ? null : round(computeSeconds / usefulSeconds),
  };
}

/** The solving of each accepted task whose result was the accepted one. Two workers may have solved the same task, one
 *  after the other let its deadline pass. */
function acceptedSolvings(view: RunView): SolvingView[] {
  const solvings: SolvingView[] = [];
  for (const task of view.market.tasks.values()) {
    if (task.state !== 'accepted') continue;
    const candidates = [...view.solvings].filter(([key]) => key.endsWith(solvingKey('', task.taskId)));
    const accepted = candidates.find(([, { resultRoot }]) => resultRoot === task.submission?.resultRoot);
    if (accepted !== undefined) solvings.push(accepted[1]);
  }
  return solvings;
}

function lossesOf(view: RunView, accepted: readonly SolvingView[]): RunSummary['loss'] {
  const rounds = accepted.map(({ round }) => round);
  const inRound = (round: number) => accepted.filter((solving) => solving.round === round);
  const first = inRound(Math.min(...rounds)).flatMap(({ losses }) => losses.slice(0, 1));
  const last = inRound(Math.max(...rounds)).flatMap(({ losses }) => losses.slice(-1));
  return {
    first: mean(first),
    last: mean(last),
    validation: view.outerSteps.at(-1)?.validationLoss ?? null,
  };
}

function disputesOf({ market, slashedByCase, slashedByTask }: RunView): RunSummary['disputes'] {
  const ofSolver = (taskId: Hex32) => slashedByTask.get(taskId) ?? 0n;
  return [...market.cases.values()].map(({ caseId, taskId, step, rounds, verdict }) => ({
    taskId,
    step,
    verdict: verdict ?? 'pending',
    rounds: rounds.length,
    slashed: formatTokens(
      (slashedByCase.get(caseId) ?? 0n) + (verdict === 'invalid' ? ofSolver(taskId) : 0n),
    ),
  }));
}

function slashedOf(market: MarketView): RunSummary['slashed'] {
  const slashed = new Map<Address, bigint>();
  for (const { account, slashed: amount } of market.positions.values()) {
    if (amount > 0n) slashed.set(account, (slashed.get(account) ?? 0n) + amount);
  }
  return Object.fromEntries([...slashed].map(([account, amount]) => [account, formatTokens(amount)]));
}

function secondsBetween(from: string | null, to: string | null): number {
  return from === null || to === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

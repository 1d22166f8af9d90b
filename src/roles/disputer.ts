/** Takes a wrong submission to court: commits to the dispute, publishes the state before the wrong step, pins the step. */

import { latestBlock, requireSigner } from '../chain/client.js';
import type { Head } from '../chain/follow.js';
import { isRefusal } from '../chain/revert.js';
import { within } from '../deadline.js';
import { pinCost } from '../protocol/economics.js';
import { caseAbout, submissionKey } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import { type DisputeRef, disputeCommitment, disputeSalt } from '../protocol/pin.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { tracePairProof } from '../protocol/trace.js';
import { canAudit } from './agenda.js';
import type { RoleContext } from './context.js';
import { placeOf } from './patience.js';
import type { Purse } from './purse.js';
import type { SubnetRules } from './rules.js';

/** Kept for the pin itself, when what it points to is published first. */
const pinSeconds = 4;
const saltLabel = 'panthalia.dispute-salt.v1';
const noBlob: Hex32 = `0x${'00'.repeat(32)}`;

export interface Disputer {
  context: Pick<RoleContext, 'chain' | 'contracts' | 'deployment' | 'market' | 'emit'>;
  purse: Purse;
  rules: SubnetRules;
}

/** What was found wrong, and how verifiers are helped to see it. */
export interface Accusation {
  task: TaskView;
  /** k of the first transition k -> k + 1 that is wrong; with no leaves, of the last one */
  step: number;
  /** the solver's S_0 .. S_H; null when they can not be had */
  leaves: readonly Hex32[] | null;
  ownLeaves: readonly Hex32[];
  /** stores X_k and names its blob; null where the base is enough */
  publish(k: number, signal: AbortSignal): Promise<Hex32 | null>;
}

/** One that came to a case, ours or that of somebody who was faster. */
export interface StoodDispute extends Pick<Accusation, 'task' | 'step' | 'leaves' | 'ownLeaves'> {
  key: string;
  caseId: Hex32;
  /** of that case */
  disputer: Address;
}

/** Whether a reorganisation has taken back the case, and there can be another one about the same submission, or is already. */
export function isTakenBack({ task, caseId }: StoodDispute, view: MarketView, head: Head): boolean {
  const now = view.tasks.get(task.taskId);
  if (now === undefined || !canAudit(now, head) || submissionKey(now) !== submissionKey(task)) return false;
  return !view.cases.has(caseId);
}

/** Whether it is time to do something about a case that is gone. One in its place is joined at once, and our own made again at once. That
 *  of somebody else is left to him until the third quarter of what was left of the window: of several who make it again, all but one lose
 *  their bonds.  goneAt: unix seconds of the head that it was first missing in */
export function isDueAgain(
  { task, step, disputer }: Pick<StoodDispute, 'task' | 'step' | 'disputer'>,
  view: MarketView,
  head: Head,
  { self, goneAt }: { self: Address; goneAt: number },
): boolean {
  if (disputer === self || caseAbout(view, task.taskId, step) !== undefined) return true;
  const left = (view.tasks.get(task.taskId)?.challengeBy ?? 0) - goneAt;
  return head.timestamp >= goneAt + left / 2 + (placeOf(self) * left) / 4;
}

/** Returns the case about this step, ours or that of somebody who was faster; null when it is too late, or the solver would not
 *  show its leaves and is convicted for that.
 *  throws user/account.no_tokens */
export async function openDispute(
  disputer: Disputer,
  found: Accusation,
  signal: AbortSignal,
): Promise<CaseView | null> {
  const { market, chain } = disputer.context;
  const { taskId } = found.task;
  let { step } = found;
  const known = () => caseAbout(market.view, taskId, step) ?? null;
  if (known() !== null) return known();
  try {
    const leaves = found.leaves ?? (await demandLeaves(disputer, found.task, signal));
    if (leaves === null) return null;
    step = stepIn(found, leaves);
    if (known() !== null) return known();
    const accusation = { ...found, step };
    let stateBlob: Hex32 | null | undefined;
    while (known() === null) {
      // A commitment that no pin can follow is a bond lost.
      if (!canAudit(market.view.tasks.get(taskId), market.head)) return null;
      const committed = await commit(disputer, accusation, signal);
      stateBlob ??= await publishInTime(disputer, accusation, signal);
      await market.caughtUp(committed, signal);
      if (known() !== null) return known();
      const block = await pin(disputer, { ...accusation, leaves, stateBlob }, signal);
      await market.caughtUp(block, signal);
    }
  } catch (error) {
    if (!isRefusal(error, 'WrongStatus', 'DeadlinePassed')) throw error;
    await market.caughtUp((await latestBlock(chain)).number, signal);
  }
  return known();
}

/** Leaves that were shown late say more than the audit knew: where the trace begins to differ. */
function stepIn({ step, ownLeaves }: Accusation, leaves: readonly Hex32[]): number {
  const at = leaves.findIndex((leaf, i) => leaf !== ownLeaves[i]);
  return at < 0 ? step : Math.max(0, at - 1);
}

/** The block after which the pin can be made. */
async function commit(
  { context, purse, rules }: Disputer,
  { task, step }: Accusation,
  signal: AbortSignal,
): Promise<number> {
  const { chain, contracts, deployment } = context;
  const { address: challenge } = contracts.challenge;
  const at = { taskId: task.taskId, step };
  const place = { chainId: deployment.chainId, challenge, disputer: requireSigner(chain).address };
  const commitment = disputeCommitment({ ...place, ...at }, saltOf(context, at));
  const { bond } = pinCost(await rules.paramsOf(task.paramsVersion), task.price);
  const write = () => contracts.challenge.write('commitDispute', [commitment, bond], signal);
  try {
    return (await purse.spend(bond, write, signal)).blockNumber;
  } catch (error) {
    // Before a restart, by ourselves: the salt is the same.
    if (!isRefusal(error, 'AlreadyCommitted')) throw error;
    return (await latestBlock(chain)).number;
  }
}

/** What is not stored in time is not waited for: without the state verifiers make the steps before it too. */
async function publishInTime(
  { context: { market, emit } }: Disputer,
  { task, step, publish }: Accusation,
  signal: AbortSignal,
): Promise<Hex32 | null> {
  const challengeBy = market.view.tasks.get(task.taskId)?.challengeBy ?? 0;
  const left = challengeBy - market.head.timestamp - pinSeconds;
  if (step === 0 || left <= 0) return null;
  try {
    using inTime = within(1000 * left, signal);
    return await publish(step, inTime.signal);
  } catch (error) {
    signal.throwIfAborted();
    const message = `State ${step} of task ${task.taskId} is not published: ${(error as Error).message}`;
    emit({ type: 'alert', level: 'warn', message, code: 'dispute.no_state' });
    return null;
  }
}

/** The block after which the case is there; or the next one, where the commitment was spent, or taken back by a reorganisation. */
async function pin(
  { context, purse, rules }: Disputer,
  { task, step, leaves, stateBlob }: Accusation & { leaves: readonly Hex32[]; stateBlob: Hex32 | null },
  signal: AbortSignal,
): Promise<number> {
  const { taskId, terms, slot, submission, price, paramsVersion } = task;
  const [before, next] = [leaves[step], leaves[step + 1]];
  if (submission === null || before === undefined || next === undefined) {
    throw new Error(`task ${taskId} has no transition ${step}`);
  }
  const salt = saltOf(context, { taskId, step });
  const siblings = tracePairProof(leaves, step);
  const what = { step, before, next, siblings, stateBlob: stateBlob ?? noBlob, salt };
  const { challenge } = context.contracts;
  const write = () => challenge.write('pin', [terms, slot, submission, what], signal);
  const { due } = pinCost(await rules.paramsOf(paramsVersion), price);
  try {
    return (await purse.spend(due, write, signal)).blockNumber;
  } catch (error) {
    if (!isRefusal(error, 'NotCommitted', 'CommitmentTooYoung')) throw error;
    return (await latestBlock(context.chain)).number + 1;
  }
}

/** Asks the chain for leaves that nobody serves, again where a reorganisation takes the question back, and waits for the answer: the
 *  leaves, or null when the task ended without. */
export async function demandLeaves(
  disputer: Disputer,
  task: TaskView,
  signal: AbortSignal,
): Promise<readonly Hex32[] | null> {
  const { market } = disputer.context;
  while (true) {
    await market.caughtUp(await demand(disputer, task, signal), signal);
    const answer = await market.waitFor((view) => {
      const now = view.tasks.get(task.taskId);
      if (now === undefined) return undefined;
      if (now.leaves !== null) return { leaves: now.leaves };
      if (now.demand === null) return 'taken back';
      return now.demand.closed ? { leaves: null } : undefined;
    }, signal);
    if (answer !== 'taken back') return answer.leaves;
  }
}

/** The block that shows the question, ours or that of somebody who was faster. */
async function demand(
  { context, purse, rules }: Disputer,
  { taskId, terms, slot, submission, paramsVersion }: TaskView,
  signal: AbortSignal,
): Promise<number> {
  if (submission === null) throw new Error(`task ${taskId} has no submission`);
  const { chain, contracts, market } = context;
  if (market.view.tasks.get(taskId)?.demand !== null) return market.head.number;
  const write = () => contracts.challenge.write('demandLeaves', [terms, slot, submission], signal);
  const { verifierFee } = await rules.paramsOf(paramsVersion);
  try {
    return (await purse.spend(verifierFee, write, signal)).blockNumber;
  } catch (error) {
    if (!isRefusal(error, 'AlreadyDemanded')) throw error;
    return (await latestBlock(chain)).number + 1;
  }
}

function saltOf({ chain, contracts }: Disputer['context'], at: DisputeRef): Hex32 {
  return disputeSalt(requireSigner(chain).account.deriveSecret(saltLabel), contracts.challenge.address, at);
}

/** The job of `panthalia dispute <taskId>`: compute first, pay after, see it through. */
import { requireSigner } from '../chain/client.js';
import { settleSent } from '../chain/resend.js';
import { makeFolder } from '../data/files.js';
import { PanthaliaError } from '../errors.js';
import { formatTokens } from '../events/amount.js';
import { disputeBalance, roundFee } from '../protocol/economics.js';
import type { Verdict } from '../protocol/facts.js';
import { caseAbout } from '../protocol/marketQueries.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import type { Hex32 } from '../protocol/task.js';
import { canAudit } from '../roles/agenda.js';
import { type FollowOptions, followCase } from '../roles/appeals.js';
import { auditTask, type Finding } from '../roles/auditor.js';
import type { Compute, RoleContext } from '../roles/context.js';
import { type Accusation, type Disputer, isDueAgain, openDispute } from '../roles/disputer.js';
import { createInputs } from '../roles/inputs.js';
import { isPointless, type Job, whenNodeAnswers, whileWanted } from '../roles/job.js';
import { keepDuring } from '../roles/keep.js';
import { standIn } from '../roles/patience.js';
import { publishState } from '../roles/publish.js';
import { createPurse } from '../roles/purse.js';
import { readRules } from '../roles/rules.js';
import { judgeAgain } from '../roles/verifier.js';

export interface DisputeOptions {
  /** full id, or the first hex digits of one, with or without 0x */
  taskId: string;
  /** largest fee of a panel to pay, token units; default: whatever the rules allow */
  maxFee?: bigint;
}

export interface DisputeContext extends RoleContext {
  compute: Compute;
  /** folder for files in flight */
  scratch: string;
}

export interface DisputeResult {
  taskId: Hex32;
  /** the first k whose transition k -> k + 1 is wrong */
  firstWrongStep: number;
  verdict: Verdict;
  rounds: number;
  /** fees of panels we called and the deposit for the delay, token units */
  feePaid: bigint;
  /** fees and deposit given back, and bounty, token units */
  received: bigint;
}

/** Re-executes the task; if it is wrong, opens the dispute, or joins the one that is open, and follows it to the verdict.
 *  throws declined/dispute.task_is_right (nothing was spent), declined/dispute.nothing_to_dispute, usage/task.*,
 *  notFound/task.not_found, deadline/dispute.window_closed, slashed/dispute.lost, check/dispute.no_verdict, user/account.* */
export async function disputeTask(
  options: DisputeOptions,
  context: DisputeContext,
  signal: AbortSignal,
): Promise<DisputeResult> {
  const task = findTask(context.market.view, options.taskId);
  checkDisputable(task, context.market.head.timestamp);
  const { address } = requireSigner(context.chain);
  await makeFolder(context.scratch);
  const inputs = createInputs({ sot: context.sot, folder: context.scratch, opset: context.compute.opset });
  const jobUntil = (wanted: AbortSignal): Job => ({
    ...{
      context: { ...context, memory: context.scratch },
      task,
      inputs,
      turn: (call) => call(),
      signal: wanted,
    },
  });
  const { firstWrongStep: step, ...traces } = await findWrongStep(context, task, jobUntil, signal);
  if (step === null) throw taskIsRight(task);

  const rules = await readRules(context.contracts, task.subnetId);
  const params = await rules.paramsOf(task.paramsVersion);
  const checkCosts = () => {
    // A case that somebody else has opened about this step costs us nothing.
    const isOpen = caseAbout(context.market.view, task.taskId, step) !== undefined;
    if (!isOpen) checkFee(task, { step, fee: roundFee(params, 1), maxFee: options.maxFee });
  };
  checkCosts();
  const disputer: Disputer = { context, purse: createPurse(context), rules };
  const publish = (k: number, wanted: AbortSignal) => publishState(jobUntil(wanted), k);
  const keeping = { rules, standIn: standIn(address) };
  const accusation = { task, step, ...traces, publish };
  const { maxFee } = options;
  const following: Following = {
    claim: 'invalid',
    look: (_, kase, seconds, wanted) => judgeAgain(jobUntil(wanted), kase, seconds),
    ...(maxFee === undefined ? {} : { maxFee }),
    checkCosts,
  };
  const seeing = seeThrough(disputer, accusation, following, signal);
  const kase = await keepDuring(context, keeping, signal, seeing);
  const { paid, received } = disputeBalance(params, kase, { account: address, price: task.price });
  return resultOf(kase, { firstWrongStep: kase.step, feePaid: paid, received });
}

/** throws usage/task.bad_id, usage/task.ambiguous, notFound/task.not_found */
function findTask(view: MarketView, given: string): TaskView {
  const prefix = given.toLowerCase().replace(/^0x/, '');
  if (!/^[0-9a-f]{1,64}$/.test(prefix)) {
    throw new PanthaliaError('usage', `A task id is up to 64 hex digits, received "${given}".`, {
      code: 'task.bad_id',
      details: { received: given },
      next: 'panthalia status',
    });
  }
  const found = [...view.tasks.values()].filter((task) => task.taskId.startsWith(`0x${prefix}`));
  const [task] = found;
  if (task === undefined) {
    throw new PanthaliaError('notFound', `There is no task ${given} in this market.`, {
      code: 'task.not_found',
      details: { received: given, tasks: view.tasks.size },
      next: 'panthalia status',
    });
  }
  if (found.length === 1) return task;
  throw new PanthaliaError('usage', `${found.length} tasks begin with ${given}.`, {
    code: 'task.ambiguous',
    details: { received: given, candidates: found.slice(0, 10).map(({ taskId }) => taskId) },
    next: 'give more digits',
  });
}

function checkDisputable(task: TaskView, now: number): void {
  const { state, challengeBy, taskId } = task;
  const isWaiting = ['submitted', 'disputed', 'undecided'].includes(state);
  // A case that is open already can be joined after that.
  if (isWaiting && (state === 'disputed' || now <= (challengeBy ?? 0))) return;
  if (isWaiting || state === 'accepted') throw windowClosed(task);
  throw new PanthaliaError('declined', `Task ${taskId} is ${state}: there is no result to dispute.`, {
    code: 'dispute.nothing_to_dispute',
    details: { taskId, state },
    next: otherTasks,
  });
}

/** throws declined/dispute.fee_too_high */
function checkFee(
  { taskId }: TaskView,
  { step, fee, maxFee = fee }: { step: number; fee: bigint; maxFee: bigint | undefined },
): void {
  if (fee <= maxFee) return;
  const [costs, allowed] = [formatTokens(fee), formatTokens(maxFee)];
  throw new PanthaliaError(
    'declined',
    `Task ${taskId} is wrong from step ${step} on, and a panel costs ${costs}; at most ${allowed} are allowed. Nothing was spent.`,
    {
      code: 'dispute.fee_too_high',
      details: { taskId, firstWrongStep: step, fee, maxFee },
      next: `panthalia dispute ${taskId} --max-fee ${costs}`,
    },
  );
}

async function findWrongStep(
  context: DisputeContext,
  task: TaskView,
  jobUntil: (wanted: AbortSignal) => Job,
  signal: AbortSignal,
): Promise<Finding> {
  try {
    return await whileWanted(
      context.market,
      (view, head) => {
        const now = view.tasks.get(task.taskId);
        return canAudit(now, head) || now?.state === 'disputed';
      },
      signal,
      (wanted) => auditTask(jobUntil(wanted)),
    );
  } catch (error) {
    throw isPointless(error) ? windowClosed(task) : error;
  }
}

interface Following extends Omit<FollowOptions, 'caseId'> {
  /** throws declined/dispute.fee_too_high where a case would be ours to pay, and costs too much */
  checkCosts(): void;
}

/** To the settlement of the case, or of the next one where a reorganisation takes it back. */
async function seeThrough(
  disputer: Disputer,
  accusation: Accusation,
  { checkCosts, ...following }: Following,
  signal: AbortSignal,
): Promise<CaseView> {
  const { market, chain, emit } = disputer.context;
  const self = requireSigner(chain).address;
  while (true) {
    const { caseId, disputer: by } = await openOrJoin(disputer, accusation, signal);
    const isThere = (view: MarketView) => view.cases.has(caseId);
    try {
      return await whileWanted(market, isThere, signal, (wanted) =>
        followCase(disputer, { caseId, ...following }, wanted),
      );
    } catch (error) {
      if (!isPointless(error)) throw error;
    }
    const message = `Case ${caseId} is not on chain any more: unless it comes back, the task is disputed again.`;
    emit({ type: 'alert', level: 'warn', message, code: 'dispute.made_again' });
    const settled = await whenNodeAnswers(market, signal, () => settleSent(chain, signal));
    await market.caughtUp(settled, signal);
    const gone = { ...accusation, disputer: by };
    const goneAt = market.head.timestamp;
    await market.waitFor((view, head) => isDueAgain(gone, view, head, { self, goneAt }) || undefined, signal);
    checkCosts();
  }
}

async function openOrJoin(
  disputer: Disputer,
  accusation: Accusation,
  signal: AbortSignal,
): Promise<CaseView> {
  const { market } = disputer.context;
  const kase = await whenNodeAnswers(market, signal, () => openDispute(disputer, accusation, signal));
  if (kase !== null) return kase;
  const { taskId } = accusation.task;
  throw market.view.tasks.get(taskId)?.state === 'rejected'
    ? withheld(taskId)
    : windowClosed(accusation.task);
}

function resultOf(
  kase: CaseView,
  known: Pick<DisputeResult, 'firstWrongStep' | 'feePaid' | 'received'>,
): DisputeResult {
  const { taskId, verdict, rounds } = kase;
  const details = { taskId, verdict, rounds: rounds.length, ...known };
  if (kase.moot) {
    throw new PanthaliaError('declined', `Task ${taskId} ended before this case did; fees are returned.`, {
      code: 'dispute.moot',
      details,
      next: storyOf(taskId),
    });
  }
  if (verdict === 'valid') {
    throw new PanthaliaError('slashed', `The dispute of task ${taskId} is lost: the panel finds it valid.`, {
      code: 'dispute.lost',
      details,
      next: storyOf(taskId),
    });
  }
  if (verdict === 'none' || verdict === null) {
    throw new PanthaliaError('check', `The panel of task ${taskId} came to no verdict; fees are returned.`, {
      code: 'dispute.no_verdict',
      details,
      next: storyOf(taskId),
    });
  }
  return { ...known, taskId, verdict, rounds: rounds.length };
}

function taskIsRight({ taskId, round, slot }: TaskView): PanthaliaError {
  return new PanthaliaError(
    'declined',
    `Task ${taskId} (round ${round}, slot ${slot}) is right: the recomputation gives the same trace and result. Nothing was spent.`,
    { code: 'dispute.task_is_right', details: { taskId, round, slot }, next: otherTasks },
  );
}

/** What can still be disputed. */
const otherTasks = 'panthalia tasks --state submitted';

function storyOf(taskId: Hex32): string {
  return `panthalia status ${taskId}`;
}

/** Nothing is left to dispute, and nothing is lost. */
function withheld(taskId: Hex32): PanthaliaError {
  return new PanthaliaError('declined', `Task ${taskId} is rejected: its solver did not show its trace.`, {
    code: 'dispute.trace_withheld',
    details: { taskId },
    next: storyOf(taskId),
  });
}

function windowClosed({ taskId, challengeBy, state }: TaskView): PanthaliaError {
  const when = challengeBy === null ? 'never' : new Date(challengeBy * 1000).toISOString();
  return new PanthaliaError('deadline', `Task ${taskId} is ${state}; it could be disputed until ${when}.`, {
    code: 'dispute.window_closed',
    details: { taskId, challengeBy, state },
    next: otherTasks,
  });
}

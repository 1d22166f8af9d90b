/** What a worker takes to court: what an audit finds, again after a reorganisation, and what is seen through until it is over. */
import type { Head } from '../chain/follow.js';
import { settleSent } from '../chain/resend.js';
import { PanthaliaError } from '../errors.js';
import { pinCost, roundFee } from '../protocol/economics.js';
import { caseAbout, submissionKey } from '../protocol/marketQueries.js';
import type { MarketView, TaskView } from '../protocol/marketView.js';
import { canAudit } from './agenda.js';
import { type FollowOptions, followCase } from './appeals.js';
import { type Accusation, isDueAgain, isTakenBack, openDispute, type StoodDispute } from './disputer.js';
import { whenNodeAnswers, whileWanted } from './job.js';
import type { Done } from './lane.js';
import { publishState } from './publish.js';
import { judgeAgain } from './verifier.js';
import { jobOf, type Worker } from './workerState.js';

export async function audit(worker: Worker, task: TaskView): Promise<Done> {
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
export function disputesToMakeAgain(
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

export async function disputeAgain(worker: Worker, dispute: StoodDispute): Promise<Done> {
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
export async function accuse(
  worker: Worker,
  task: TaskView,
  { step, leaves, ownLeaves }: Charge,
): Promise<boolean> {
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
export async function reserveFees({ context, disputer, rules }: Worker, signal: AbortSignal): Promise<void> {
  try {
    const { bond, due } = pinCost(rules.params, rules.params.minPrice);
    await disputer.purse.reserve(bond + due + roundFee(rules.params, 2), signal);
  } catch (error) {
    if (!(error instanceof PanthaliaError) || error.code !== 'account.no_tokens') throw error;
    const message = `No tokens are left for disputes. ${error.message}`;
    context.emit({ type: 'alert', level: 'warn', message, code: error.code });
  }
}

/** In the background: a case takes minutes, and other audits must go on. */
export function follow(worker: Worker, { caseId, claim }: Pick<FollowOptions, 'caseId' | 'claim'>): void {
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

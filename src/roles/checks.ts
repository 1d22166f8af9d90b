/** The checks that one account was drawn for: look, commit, open once the solver has answered, pin what differs. What is not on
 *  chain is in memory.ts or computed again, and salts derive from the key: a restart goes on anywhere. */
import { requireSigner } from '../chain/client.js';
import type { Head } from '../chain/follow.js';
import { isRefusal } from '../chain/revert.js';
import { PanthaliaError } from '../errors.js';
import { answersOf, checkCommitment, checkedSteps, checkSalt, type Made } from '../protocol/check.js';
import { isTerminal } from '../protocol/marketQueries.js';
import type { CheckView, MarketView, TaskView } from '../protocol/marketView.js';
import type { SamplingTerms } from '../protocol/sampling.js';
import type { Address, Hex32 } from '../protocol/task.js';
import type { CheckFinding } from './checker.js';
import { firstWrong } from './checker.js';
import type { RoleContext } from './context.js';
import type { Accusation } from './disputer.js';
import { whenNodeAnswers } from './job.js';
import { type LaneHost, type LaneItem, type LaneSignals, runLane } from './lane.js';
import { requireSubmission } from './publish.js';

/** The last part of the time to commit is left for declining. */
const declineShare = 8;
/** As in a lane. */
const retrySeconds = 2;

const saltLabel = 'panthalia.check-salt.v1';

export interface ChecksOptions {
  context: Pick<RoleContext, 'chain' | 'contracts' | 'deployment' | 'market' | 'emit'>;
  /** false for tasks of checks that it was drawn for after it was told to stop */
  isTaken(taskId: Hex32): boolean;
  /** steps: those it is asked about; until: unix seconds, when it is too late to commit; null does not look */
  look(task: TaskView, steps: readonly number[], until: number): Promise<CheckFinding | null>;
  /** Takes a transition to court, with the solver's leaves, or without where they can not be had; whether a case stands. */
  accuse(task: TaskView, what: Pick<Accusation, 'step' | 'leaves' | 'ownLeaves'>): Promise<boolean>;
  /** Asks the chain for the solver's leaves; null when the task has ended for want of them. */
  demand(task: TaskView): Promise<readonly Hex32[] | null>;
  /** whether it goes to court where the solver's answers are not its own */
  insists: boolean;
  rules: { paramsOf(version: number): Promise<SamplingTerms & { commitSeconds: number }> };
  onBusy: NonNullable<LaneHost['onBusy']>;
  onCheck: () => void;
}

interface CheckItem extends LaneItem {
  check: CheckView;
}

/** Takes what it is drawn for until `taking`, then sees through what it has begun. */
export async function runChecks(options: ChecksOptions, signals: LaneSignals): Promise<void> {
  const { context, onBusy } = options;
  const self = requireSigner(context.chain).address;
  const begun = new Set<Promise<void>>();
  await runLane<CheckItem>(
    {
      name: 'check',
      candidates: (view, head) =>
        checksToMake(view, head, self).filter(({ task }) => options.isTaken(task.taskId)),
      work: async (item) => {
        const answered = await lookAndCommit(options, item, signals.hard);
        if (answered === null) return 'over';
        // In the background: the solver takes its time, and other checks must go on.
        const rest = seeThrough(options, item, answered, signals.hard).catch((error) => {
          if (!signals.hard.aborted) tell(context, item, error);
        });
        begun.add(rest);
        return 'over';
      },
    },
    { ...context, onBusy },
    signals,
  );
  await Promise.all(begun);
}

/** Checks of ours that wait for us, the most pressing first. One that has only to be opened is taken up after a restart. */
export function checksToMake(view: MarketView, head: Head, self: Address): CheckItem[] {
  return [...view.checks.values()]
    .flatMap((check) => {
      const task = view.tasks.get(check.taskId);
      if (task === undefined || check.checker !== self || !isPending(task, check)) return [];
      if (check.phase === 'commit' && head.timestamp > check.deadline) return [];
      return [{ task, check, key: keyOf(check) }];
    })
    .sort((a, b) => urgency(a) - urgency(b) || a.check.deadline - b.check.deadline);
}

/** What is committed to has to be opened: that takes a moment, and a new look minutes. */
function urgency({ check }: CheckItem): number {
  return check.phase === 'commit' ? 1 : 0;
}

/** Something is left to do for the checker. */
function isPending({ state }: TaskView, { phase }: CheckView): boolean {
  return !isTerminal(state) && phase !== 'over' && phase !== 'drawing';
}

/** After a reorganisation another seed may have drawn it. */
function keyOf({ attempt, roll }: CheckView): string {
  return `check ${attempt} ${roll}`;
}

interface Answered {
  made: Made;
  finding: CheckFinding;
  answers: Hex32;
}

async function lookAndCommit(
  { context, look, rules, onCheck }: ChecksOptions,
  { task, check }: CheckItem,
  signal: AbortSignal,
): Promise<Answered | null> {
  const { market, contracts } = context;
  const { taskId, terms, slot } = task;
  const params = await rules.paramsOf(terms.paramsVersion);
  const steps = checkedSteps(params, check, terms.innerSteps);
  const isToCommit = () => {
    const [now, state] = [market.view.checks.get(taskId), market.view.tasks.get(taskId)?.state];
    // A check whose task has ended otherwise is moot before anybody closes it.
    const isMoot = state === undefined || isTerminal(state);
    return now?.phase === 'commit' && now.attempt === check.attempt && !isMoot;
  };
  // Somebody else may know better, and a bond is not lost for what can not be computed, or not in time.
  const decline = () => contracts.audit.write('declineCheck', [terms, slot], signal);
  const until = check.deadline - Math.ceil(params.commitSeconds / declineShare);
  let finding: CheckFinding | null;
  try {
    finding = await look(task, steps, until);
  } catch (error) {
    signal.throwIfAborted();
    if (isToCommit() && (market.head.timestamp >= until || !mayPass(error))) await decline();
    throw error;
  }
  if (finding === null) return null;
  const isFirst = isToCommit();
  const { made } = finding;
  if (made === null) {
    if (isFirst) await decline();
    return null;
  }
  const answered = { made, finding, answers: answersOf(check.roll, steps, made, terms.innerSteps) };
  if (!isFirst) return answered;
  await commit(context, task, answered.answers, signal);
  onCheck();
  return answered;
}

async function commit(
  context: ChecksOptions['context'],
  { taskId, terms, slot }: TaskView,
  answers: Hex32,
  signal: AbortSignal,
): Promise<void> {
  const { market, contracts, deployment, chain } = context;
  const place = {
    chainId: deployment.chainId,
    audit: contracts.audit.address,
    taskId,
    checker: requireSigner(chain).address,
  };
  const commitment = checkCommitment(place, answers, saltOf(context, taskId));
  const write = () => contracts.audit.write('commitCheck', [terms, slot, commitment], signal);
  const { blockNumber } = await whenNodeAnswers(market, signal, write);
  await market.caughtUp(blockNumber, signal);
}

/** From the commitment to the end. What is wrong goes to court at once, beside the rest, and once more in the window that the different
 *  answers open: the first may have been over. */
async function seeThrough(
  options: ChecksOptions,
  item: CheckItem,
  { made, finding, answers }: Answered,
  signal: AbortSignal,
): Promise<void> {
  const { context, accuse, demand, insists } = options;
  const { task, check } = item;
  const { market } = context;
  const { firstWrongStep: step, leaves } = finding;
  const accusing =
    step === null ? false : accuse(task, { step, leaves, ownLeaves: made.leaves }).catch(() => false);
  const canDo = (move: string) => () => nextMove(market.view, check) === move;
  for (;;) {
    const move = await market.waitFor((view) => nextMove(view, check), signal);
    if (move !== 'commit' && move !== 'reveal') break;
    // A commitment that was in a block is to be made where a reorganisation has taken it back, and an opening again with it.
    const act = move === 'commit' ? commit : open;
    await persist(context, item, signal, canDo(move), () => act(context, task, answers, signal));
  }
  if ((await accusing) || !insists) return;
  await persist(context, item, signal, canDo('dispute'), async () => {
    // Where the trace could not be had before, whoever demands it sees where it is wrong.
    const shown = leaves ?? (await demand(task));
    const wrong = shown && firstWrong(made, shown, requireSubmission({ task }), task.terms.innerSteps);
    if (wrong !== null) await accuse(task, { step: wrong, leaves: shown, ownLeaves: made.leaves });
  });
}

/** Until it is done, as long as it can be: a bond depends on it. */
async function persist(
  context: ChecksOptions['context'],
  item: CheckItem,
  signal: AbortSignal,
  isPossible: () => boolean,
  act: () => Promise<void>,
): Promise<void> {
  const { market } = context;
  while (isPossible()) {
    const next = market.head.timestamp + retrySeconds;
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      tell(context, item, error as Error);
    }
    await market.waitFor((_, head) => head.timestamp >= next || undefined, signal);
  }
}

/** A server or a node that is away may come back; what the engine can not compute it will not compute the next time. */
function mayPass(error: unknown): boolean {
  return error instanceof PanthaliaError && error.family === 'network';
}

/** What the checker can do now; undefined while others move. */
function nextMove(view: MarketView, { taskId, attempt, checker, roll }: CheckView) {
  const [task, now] = [view.tasks.get(taskId), view.checks.get(taskId)];
  const isSame = now?.attempt === attempt && now.checker === checker && now.roll === roll;
  if (!task || !now || !isSame || !isPending(task, now)) return 'over';
  return now.phase === 'answer' || now.phase === 'drawing' ? undefined : now.phase;
}

async function open(
  context: ChecksOptions['context'],
  { taskId, terms, slot }: TaskView,
  answers: Hex32,
  signal: AbortSignal,
): Promise<void> {
  const { market, contracts } = context;
  const args = [terms, slot, answers, saltOf(context, taskId)] as const;
  const reveal = () => contracts.audit.write('revealCheck', args, signal);
  const { blockNumber } = await whenNodeAnswers(market, signal, reveal);
  await market.caughtUp(blockNumber, signal);
}

function saltOf({ chain, contracts }: ChecksOptions['context'], taskId: Hex32): Hex32 {
  const secret = requireSigner(chain).account.deriveSecret(saltLabel);
  return checkSalt(secret, contracts.audit.address, taskId);
}

/** What a contract refuses has been overtaken by something else. */
function tell(
  { emit }: ChecksOptions['context'],
  { task }: CheckItem,
  error: Error & { code?: string },
): void {
  emit({
    type: 'alert',
    level: isRefusal(error) ? 'warn' : 'error',
    message: `The check of task ${task.taskId} ended: ${error.message}`,
    ...(error.code === undefined ? {} : { code: error.code }),
  });
}

/** The seats of one account in panels: compute once per case, keep, commit, open. Salts derive from the key and what was found is kept
 *  (memory.ts), so after a restart the commitment can be opened. */
import { requireSigner } from '../chain/client.js';
import type { Head } from '../chain/follow.js';
import { isLost } from '../chain/resend.js';
import { isRefusal } from '../chain/revert.js';
import { isUnreachable } from '../chain/rpcError.js';
import { caseOf } from '../protocol/case.js';
import type { EpochRules } from '../protocol/epochs.js';
import { panelSeed } from '../protocol/keeper.js';
import type { CaseView, MarketView, TaskView } from '../protocol/marketView.js';
import type { Address, Hex32 } from '../protocol/task.js';
import { attentionDigest, type Ballot, verdictCodes, voteCommitment, voteSalt } from '../protocol/vote.js';
import { type OpenSeat, openSeats } from './agenda.js';
import type { WorkerContext } from './context.js';
import { type LaneHost, type LaneSignals, next, runLane } from './lane.js';
import { keepVote, recallVote } from './memory.js';
import type { Judgement } from './verifier.js';

const saltLabel = 'panthalia.vote-salt.v1';

export interface VoteOptions {
  context: Pick<WorkerContext, 'chain' | 'contracts' | 'deployment' | 'market' | 'emit' | 'memory'>;
  /** null does not vote */
  judge(task: TaskView, kase: CaseView): Promise<Judgement | null>;
  rules: Pick<EpochRules, 'epochLength'>;
  onBusy: NonNullable<LaneHost['onBusy']>;
  onVote: () => void;
}

/** Votes until `taking`, then finishes the seats that are open. */
export async function runVotes(options: VoteOptions, { taking, hard }: LaneSignals): Promise<void> {
  const { market } = options.context;
  const self = requireSigner(options.context.chain).address;
  const judgements = new Map<Hex32, Judgement | null>();
  const voting = new AbortController();
  const ending = untilNoSeats(options, self, { taking, hard }).finally(() => voting.abort());
  const signals = { taking: voting.signal, hard };
  const undecided = (view: MarketView, head: Head) =>
    openSeats(view, head, self)
      .filter(({ caseId }) => !judgements.has(caseId))
      .flatMap(({ caseId }) => itemOf(view, caseId) ?? []);
  const judging = runLane(
    {
      name: 'verification',
      candidates: undecided,
      work: async ({ task, kase }) => {
        judgements.set(kase.caseId, await decide(options, { task, kase }, self));
        return 'over';
      },
    },
    { market, emit: options.context.emit, onBusy: options.onBusy },
    signals,
  );
  await Promise.all([ending, judging, castBallots(options, self, judgements, signals)]);
}

function itemOf(view: MarketView, caseId: Hex32): { task: TaskView; kase: CaseView } | undefined {
  const kase = view.cases.get(caseId);
  const task = kase && view.tasks.get(kase.taskId);
  return kase && task && { task, kase };
}

/** After `taking`, until nothing of ours is waiting in a panel. */
async function untilNoSeats(
  { context: { market } }: VoteOptions,
  self: Address,
  { taking, hard }: LaneSignals,
): Promise<void> {
  await next(market, AbortSignal.any([taking, hard]), () => undefined);
  hard.throwIfAborted();
  await market.waitFor((view, head) => (openSeats(view, head, self).length === 0 ? true : undefined), hard);
}

async function decide(
  { context, judge }: VoteOptions,
  { task, kase }: { task: TaskView; kase: CaseView },
  self: Address,
): Promise<Judgement | null> {
  const known = await recallVote(context.memory, kase.caseId);
  if (known !== null) return { ...known, steps: 0, computeSeconds: 0 };
  const judgement = await judge(task, kase);
  if (judgement === null) return null;
  await keepFinding(context, kase.caseId, judgement);
  const { verdict, steps, computeSeconds } = judgement;
  const { taskId } = task;
  const seats = openSeats(context.market.view, context.market.head, self);
  for (const [i, { round, seat }] of seats.filter(({ caseId }) => caseId === kase.caseId).entries()) {
    // One computation serves all our seats of a panel; its time counts once.
    const seconds = i === 0 ? computeSeconds : 0;
    const { caseId } = kase;
    const made = { verdict, steps, computeSeconds: seconds };
    context.emit({ type: 'vote.computed', taskId, caseId, round, seat, ...made });
  }
  return judgement;
}

/** Before anything is committed to. Without it a restart computes again, which is no reason not to vote. */
async function keepFinding(
  { memory, emit }: VoteOptions['context'],
  caseId: Hex32,
  judgement: Judgement,
): Promise<void> {
  try {
    await keepVote(memory, caseId, judgement);
  } catch (error) {
    const { message, code } = error as Error & { code: string };
    emit({ type: 'alert', level: 'warn', message, code });
  }
}

/** One transaction after the other: a commitment for each seat, then its opening. */
async function castBallots(
  { context, rules, onVote }: VoteOptions,
  self: Address,
  judgements: ReadonlyMap<Hex32, Judgement | null>,
  { taking, hard }: LaneSignals,
): Promise<void> {
  const { market } = context;
  const refused = new Set<string>();
  while (true) {
    const seat = await next(market, taking, (view, head) => {
      const open = openSeats(view, head, self);
      // What is no move any more may be one again, on another branch of the chain.
      const keys = new Set(open.map(moveKey));
      for (const key of refused) if (!keys.has(key)) refused.delete(key);
      return open.find((one) => isMyMove(one) && judgements.get(one.caseId) && !refused.has(moveKey(one)));
    });
    const judgement = seat && judgements.get(seat.caseId);
    if (!seat || !judgement) return;
    const ballot = ballotOf(judgement, seedOf(market.view, seat, rules));
    const block = market.head.number;
    try {
      const receipt = await cast(context, self, seat, ballot, hard);
      if (seat.phase === 'reveal') onVote();
      await market.caughtUp(receipt.blockNumber, hard);
    } catch (error) {
      hard.throwIfAborted();
      if (!isRefusal(error) && !isUnreachable(error) && !isLost(error)) throw error;
      const { message, code } = error as Error & { code: string };
      context.emit({ type: 'alert', level: 'warn', message, code });
      if (isRefusal(error)) refused.add(moveKey(seat));
      await market.waitFor((_, head) => (head.number > block ? true : undefined), hard);
    }
  }
}

/** Every honest verifier gives this answer when there is nothing to compute from. */
const noAnswer = `0x${'00'.repeat(32)}` as const;

/** The same computation, told with the seed of this panel. */
function ballotOf({ verdict, seen }: Judgement, seed: Hex32): Ballot {
  return { verdict, answer: seen === null ? noAnswer : attentionDigest(seed, seen) };
}

function seedOf(view: MarketView, { caseId, round }: OpenSeat, rules: VoteOptions['rules']): Hex32 {
  const panel = view.cases.get(caseId)?.rounds.find((one) => one.round === round);
  const seed = panel && panelSeed(view, panel, rules);
  if (seed === undefined) throw new Error(`the panel of case ${caseId} was drawn without a seed`);
  return seed;
}

async function cast(
  { chain, contracts: { court }, deployment, market: { view } }: VoteOptions['context'],
  self: Address,
  at: OpenSeat,
  ballot: Ballot,
  signal: AbortSignal,
) {
  const { caseId, round, seat } = at;
  const about = caseOf(view, caseId);
  const salt = voteSalt(requireSigner(chain).account.deriveSecret(saltLabel), court.address, at);
  if (at.phase === 'reveal') {
    const verdict = verdictCodes[ballot.verdict];
    return court.write('revealVote', [about, round, seat, verdict, ballot.answer, salt], signal);
  }
  const place = { caseId, round, seat, chainId: deployment.chainId, court: court.address, voter: self };
  return court.write('commitVote', [about, round, seat, voteCommitment(place, ballot, salt)], signal);
}

/** A seat that has committed waits for the others. */
function isMyMove({ phase, committed }: OpenSeat): boolean {
  return phase === 'reveal' || !committed;
}

function moveKey({ caseId, round, seat, phase }: OpenSeat): string {
  return `${caseId}/${round}/${seat}/${phase}`;
}

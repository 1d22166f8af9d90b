/** What the Source of Truth reads from the market. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { canonicalId } from '../../protocol/canonicalJson.js';
import type { MarketView, TaskView } from '../../protocol/marketView.js';
import { taskSpec } from '../../protocol/spec.js';
import type { Address, Hex32, RunManifest } from '../../protocol/task.js';

export interface Contribution {
  slot: number;
  taskId: Hex32;
  resultRoot: Hex32;
}

/** The accepted result of every slot of a round in slot order, or undefined while a slot is missing. Anyone can post a batch
 *  in this job's name, so a task counts only if its spec is the one that follows from the manifest and the base. Anyone can
 *  also open a subnet and accept whatever they like in it, so only tasks of the job's own count. */
export function acceptedResults(
  view: MarketView,
  job: { manifest: RunManifest; jobId: Hex32; subnetId: number },
  round: number,
  base: { stateRoot: Hex32; parameters: Hex32 },
): Contribution[] | undefined {
  const { manifest, jobId, subnetId } = job;
  const specHash = canonicalId(taskSpec(manifest, jobId, round, base));
  const isOurs = (task: TaskView) =>
    task.subnetId === subnetId &&
    task.specHash === specHash &&
    task.jobId === jobId &&
    task.baseRoot === base.stateRoot;
  const accepted = [...view.tasks.values()].filter((task) => task.state === 'accepted' && isOurs(task));
  const contributions: Contribution[] = [];
  for (let slot = 0; slot < manifest.slotsPerRound; slot++) {
    const task = accepted.find((candidate) => candidate.slot === slot);
    if (!task?.submission) return undefined;
    contributions.push({ slot, taskId: task.taskId, resultRoot: task.submission.resultRoot });
  }
  return contributions;
}

/** `ask`, with an answer once it was the same for `depth` blocks: a version that is merged stays, and a reorganisation may put a dispute in
 *  time before what it makes anew. Remembers between calls, which have to come with every block. */
export function standing<T>(
  ask: (view: MarketView) => T | undefined,
  depth: number,
): (view: MarketView, head: { number: number }) => T | undefined {
  let seen: { answer: T | undefined; block: number } = { answer: undefined, block: 0 };
  return (view, { number }) => {
    const answer = ask(view);
    if (!isDeepStrictEqual(answer, seen.answer)) seen = { answer, block: number };
    return number - seen.block >= depth ? answer : undefined;
  };
}

/** The job's buyer, whoever has seats at stake, a solver that still owes a result (a seat that is asked back while its task runs
 *  must not keep the result from being stored), and whoever has committed to a dispute, for the state before the wrong step. */
export function mayWrite(
  view: MarketView,
  account: Address,
  terms: { buyer: Address; subnetId: number; leastBond: bigint },
): boolean {
  if (account === terms.buyer) return true;
  const isStaked = [...view.positions.values()].some(
    (position) =>
      position.account === account &&
      position.subnetId === terms.subnetId &&
      position.seats > 0 &&
      !position.jailed,
  );
  if (isStaked) return true;
  const committed = [...view.commitments.values()];
  if (committed.some(({ disputer, bond }) => disputer === account && bond >= terms.leastBond)) return true;
  return [...view.tasks.values()].some(
    (task) => task.solver === account && task.subnetId === terms.subnetId && task.state === 'assigned',
  );
}

/** What the Source of Truth reads from the market. Pure. */
import { canonicalId } from '../../protocol/canonicalJson.js';
import type { MarketView, TaskView } from '../../protocol/marketView.js';
import { taskSpec } from '../../protocol/spec.js';
import type { Address, Hex32, RunManifest, Submission } from '../../protocol/task.js';

export interface Contribution {
  slot: number;
  taskId: Hex32;
  resultRoot: Hex32;
}

/** A task that is accepted. */
export type AcceptedTask = TaskView & { submission: Submission; acceptedBlock: number };

/** One for every slot of a round in slot order, of those that were accepted in block `upTo` or before, or undefined while a slot is missing. Anyone
 *  can post a batch in this job's name, so a task counts only if its spec is the one that follows from the manifest and the base. Anyone can
 *  also open a subnet and accept whatever they like in it, so only tasks of the job's own count. */
export function acceptedTasks(
  view: MarketView,
  job: { manifest: RunManifest; jobId: Hex32; subnetId: number },
  round: number,
  base: { stateRoot: Hex32; parameters: Hex32 },
  upTo = Number.POSITIVE_INFINITY,
): AcceptedTask[] | undefined {
  const { manifest, jobId, subnetId } = job;
  const specHash = canonicalId(taskSpec(manifest, jobId, round, base));
  const isOurs = (task: TaskView) =>
    task.subnetId === subnetId &&
    task.specHash === specHash &&
    task.jobId === jobId &&
    task.baseRoot === base.stateRoot;
  const accepted = [...view.tasks.values()].filter(isAccepted).filter(isOurs);
  const slots = Array.from({ length: manifest.slotsPerRound }, (_, slot) =>
    accepted.find((task) => task.slot === slot && task.acceptedBlock <= upTo),
  );
  return slots.every((task) => task !== undefined) ? slots : undefined;
}

function isAccepted(task: TaskView): task is AcceptedTask {
  return task.state === 'accepted' && task.submission !== null && task.acceptedBlock !== null;
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

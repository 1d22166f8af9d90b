/** Puts the job's outer steps on chain: which accepted results went into each, and the state root that they led to. */
import { requireSigner } from '../chain/client.js';
import { isRefusal } from '../chain/revert.js';
import type { ModelVersion } from '../data/versions.js';
import type { MarketView, TaskView } from '../protocol/marketView.js';
import type { Submission } from '../protocol/task.js';
import type { Terms } from '../protocol/terms.js';
import type { MasterContext } from './context.js';

/** Appends what is missing up to `latest`, oldest first. The chain says what is there, so a master that died between two steps, or
 *  after a transaction it never saw confirmed, goes on without a second one.
 *  throws reverted/contract.WrongBaseRoot where the chain has another state than the Source of Truth */
export async function recordOuterSteps(
  context: MasterContext,
  latest: ModelVersion,
  signal: AbortSignal,
): Promise<void> {
  const { sot } = context;
  for (let round = await roundsOnChain(context); round < latest.number; round++) {
    const isLatest = latest.number === round + 1;
    await append(context, isLatest ? latest : await sot.version(round + 1, { signal }), signal);
  }
}

async function append(context: MasterContext, version: ModelVersion, signal: AbortSignal): Promise<void> {
  const { contracts, market, deployment, jobId } = context;
  const round = version.number - 1;
  const contributions = await market.waitFor((view) => contributionsOf(view, version), signal);
  const { parent, stateRoot } = version;
  if (parent === null) throw new RangeError('version 0 is no outer step');
  try {
    const args = [deployment.subnetId, jobId, round, parent, stateRoot, contributions] as const;
    await contracts.states.write('append', args, signal);
  } catch (error) {
    // A former master's transaction was still on its way when we asked.
    if (isRefusal(error, 'WrongRound') && (await roundsOnChain(context)) > round) return;
    throw error;
  }
}

async function roundsOnChain({ chain, contracts, deployment, jobId }: MasterContext): Promise<number> {
  const buyer = requireSigner(chain).address;
  return (await contracts.states.read('headOf', [buyer, deployment.subnetId, jobId])).rounds;
}

interface Contribution {
  terms: Terms;
  slot: number;
  submission: Submission;
}

/** In slot order; undefined while the view has not seen all of them accepted: the Source of Truth may be a block ahead. */
function contributionsOf(view: MarketView, { contributions }: ModelVersion): Contribution[] | undefined {
  const tasks = contributions.map(({ taskId }) => view.tasks.get(taskId));
  if (!tasks.every(isAccepted)) return undefined;
  return tasks.map(({ terms, slot, submission }) => ({ terms, slot, submission }));
}

function isAccepted(task: TaskView | undefined): task is TaskView & { submission: Submission } {
  return task !== undefined && task.state === 'accepted' && task.submission !== null;
}

/** The buyer's process: posts each round's tasks, posts again what failed, and keeps the market moving. */

import { requireSigner } from '../chain/client.js';
import { isRefusal } from '../chain/revert.js';
import type { ModelVersion } from '../data/versions.js';
import { within } from '../deadline.js';
import { PanthaliaError } from '../errors.js';
import { canonicalJson } from '../protocol/canonicalJson.js';
import { isRoundAccepted, type RoundRef, slotsToPost, tasksOfRound } from '../protocol/marketQueries.js';
import type { MarketView } from '../protocol/marketView.js';
import { taskSpec } from '../protocol/spec.js';
import { slotBits, type Terms } from '../protocol/terms.js';
import type { MasterContext } from './context.js';
import { keepDuring } from './keep.js';
import { createPurse, type Purse } from './purse.js';
import { recordOuterSteps } from './record.js';
import { readRules, type SubnetRules } from './rules.js';

/** How long one question about a new version stays open; the SOT allows 30. */
const versionWaitSeconds = 20;
/** After the last round: for panels that are still to be paid. */
const closingSeconds = 30;

interface Master {
  context: MasterContext;
  rules: SubnetRules;
  purse: Purse;
}

/** Ends when the SOT has published the version after the last round, and all outer steps are on chain. Goes on where a former master stopped: what was posted
 *  stands on chain, what was merged in the SOT's versions.
 *  throws user/account.no_tokens, network/sot.unreachable, config/job.wrong, the signal's reason */
export async function run(context: MasterContext, signal: AbortSignal): Promise<void> {
  const rules = await readRules(context.contracts, context.deployment.subnetId);
  const master: Master = { context, rules, purse: createPurse(context) };
  context.emit({ type: 'process.ready', process: 'master' });
  try {
    await keepDuring(context, { rules }, signal, postAll(master, signal));
  } catch (error) {
    // Whatever an aborted wait throws, this is why it was aborted.
    signal.throwIfAborted();
    throw error;
  }
}

async function postAll(master: Master, signal: AbortSignal): Promise<void> {
  await runRounds(master, signal);
  using inTime = within(closingSeconds * 1000, signal);
  await panelsPaid(master, inTime.signal);
}

async function runRounds(master: Master, signal: AbortSignal): Promise<void> {
  const { rounds } = master.context.manifest;
  let version = await versionAtLeast(master, 0, signal);
  while (version.number < rounds) {
    // The record of one outer step is made while the next round runs: nobody waits for it.
    const recorded = recordOuterSteps(master.context, version, signal);
    [version] = await Promise.all([runRound(master, version, signal), recorded]);
  }
  await recordOuterSteps(master.context, version, signal);
}

/** Posts the round's slots, and again each one that was rejected, expired or voided, until all are accepted and merged: before that a
 *  reorganisation may take an acceptance back.  returns the next version */
async function runRound(master: Master, base: ModelVersion, signal: AbortSignal): Promise<ModelVersion> {
  const { market, manifest, jobId, sot, emit } = master.context;
  const round = base.number;
  const { slotsPerRound } = manifest;
  const spec = canonicalJson(taskSpec(manifest, jobId, round, base));
  const { blob: specHash } = await sot.putBytes(Buffer.from(spec, 'utf8'), { signal });
  const ref: RoundRef = { jobId, round, specHash, baseRoot: base.stateRoot, slotsPerRound };
  emit({ type: 'round.opened', round, baseRoot: base.stateRoot, slots: slotsPerRound });
  while (true) {
    const slots = await market.waitFor((view) => nextSlots(view, ref), signal);
    if (slots !== 'closed') {
      await postSlots(master, ref, slots, signal);
      continue;
    }
    emit({ type: 'round.closed', round });
    const isOpenAgain = (view: MarketView) => !isRoundAccepted(view, ref) || undefined;
    const next = await firstOf<ModelVersion | true>(signal, [
      (either) => versionAtLeast(master, round + 1, either),
      (either) => market.waitFor(isOpenAgain, either),
    ]);
    if (next !== true) return next;
  }
}

/** The first of these waits to end; it ends the others. */
async function firstOf<T>(
  signal: AbortSignal,
  waits: readonly ((either: AbortSignal) => Promise<T>)[],
): Promise<T> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const begun = waits.map((wait) => wait(either));
  try {
    return await Promise.race(begun);
  } finally {
    over.abort();
    await Promise.allSettled(begun);
  }
}

function nextSlots(view: MarketView, ref: RoundRef): number[] | 'closed' | undefined {
  if (isRoundAccepted(view, ref)) return 'closed';
  const slots = slotsToPost(view, ref);
  return slots.length > 0 ? slots : undefined;
}

/** The salt counts the batches of this round, so a master that died after posting can not post the same slots twice. */
async function postSlots(
  { context, rules, purse }: Master,
  ref: RoundRef,
  slots: number[],
  signal: AbortSignal,
): Promise<void> {
  const { contracts, market } = context;
  const { jobId, round, baseRoot, specHash } = ref;
  const { subnetId } = rules;
  const paramsVersion = await contracts.registry.read('currentVersion', [subnetId]);
  const { minPrice: price, verifierFee } = await rules.paramsOf(paramsVersion);
  // The fee of a check waits beside the price.
  const cost = price + verifierFee;
  const posted = batchesOf(market.view, ref);
  const terms: Terms = {
    ...{ buyer: requireSigner(context.chain).address, price, subnetId, round, jobId, baseRoot, specHash },
    ...{ paramsVersion, innerSteps: context.manifest.innerSteps, slots: slotBits(slots), salt: posted },
  };
  try {
    const post = () => contracts.market.write('createBatch', [terms], signal);
    const { blockNumber } = await purse.spend(cost * BigInt(slots.length), post, signal);
    await market.caughtUp(blockNumber, signal);
  } catch (error) {
    // Between the reading and the posting another version came into force: the slots are still open.
    if (isRefusal(error, 'NotCurrentVersion')) return;
    if (!isRefusal(error, 'BatchExists')) throw error;
    // Posted by a former master whose transaction we had not seen yet.
    await market.waitFor((view) => batchesOf(view, ref) > posted || undefined, signal);
  }
}

function batchesOf(view: MarketView, ref: RoundRef): number {
  return new Set(tasksOfRound(view, ref).map((task) => task.batchId)).size;
}

/** Waits for version `number` or a later one. */
async function versionAtLeast(
  { context: { sot, jobId } }: Master,
  number: number,
  signal: AbortSignal,
): Promise<ModelVersion> {
  while (true) {
    const version = await sot.latestVersion({ after: number - 1, waitSeconds: versionWaitSeconds, signal });
    if (version === undefined) continue;
    if (version.jobId === jobId) return version;
    throw new PanthaliaError(
      'config',
      `The Source of Truth serves job ${version.jobId}, this manifest is job ${jobId}.`,
      { code: 'job.wrong', details: { expected: jobId, received: version.jobId } },
    );
  }
}

/** Every case is settled and every seat closed, as far as the time allows: the rest is anybody's to close later. */
async function panelsPaid({ context: { market } }: Master, signal: AbortSignal): Promise<void> {
  const isPaid = (view: MarketView) =>
    [...view.cases.values()].every(
      (kase) => kase.settled && kase.rounds.every((round) => round.seats.every((seat) => seat.closed)),
    );
  await market
    .waitFor((view) => isPaid(view) || undefined, signal)
    .catch((error) => {
      if (!signal.aborted) throw error;
    });
}

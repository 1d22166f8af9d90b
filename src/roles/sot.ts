/** The Source of Truth: stores blobs, publishes model versions, and applies the outer step to what the chain accepted. */
import { join } from 'node:path';
import type { MarketFollower } from '../chain/follow.js';
import { startBlobServer } from '../data/blobServer.js';
import { BlobStore } from '../data/blobStore.js';
import type { Dataset } from '../data/dataset.js';
import { defaultUploadLimits, Uploads } from '../data/uploads.js';
import { type ModelVersion, VersionJournal } from '../data/versions.js';
import { PanthaliaError } from '../errors.js';
import type { Emit } from '../events/types.js';
import { canonicalJson } from '../protocol/canonicalJson.js';
import type { MarketView } from '../protocol/marketView.js';
import { type RecoverSigner, type RequestDomain, sha256Hex } from '../protocol/requestAuth.js';
import type { Address, Hex32, RunManifest } from '../protocol/task.js';
import { acceptedTasks, type Contribution, mayWrite } from './sot/market.js';
import { initialVersion, nextVersion, type OuterCompute, type OuterStepContext } from './sot/outerStep.js';

export interface SotContext {
  manifest: RunManifest;
  /** sha-256 of the manifest's canonical JSON */
  jobId: Hex32;
  /** the account that posts this job's tasks and may store their specs before any task is on chain */
  buyer: Address;
  subnetId: number;
  /** of a commitment to a dispute, token units: what it costs a stranger to store something */
  leastBond: bigint;
  market: Pick<MarketFollower, 'view' | 'waitFor'>;
  /** blocks that must have come after the one that results are accepted in, before they are merged */
  depth: number;
  /** chain id and market address */
  domain: RequestDomain;
  recoverSigner: RecoverSigner;
  dataset: Pick<Dataset, 'validationBatches'>;
  compute: OuterCompute;
  /** folder of blobs and journal; one process at a time */
  dir: string;
  host: string;
  /** 0: any free port; the URL is in the event process.ready */
  port: number;
  emit: Emit;
}

/** Serves until the signal, also after the last round. Goes on from the journal after any kind of death.
 *  throws config/sot.wrong_job, check/sot.blob_missing, config/storage.in_use, network/sot.port_in_use */
export async function run(context: SotContext, signal: AbortSignal): Promise<void> {
  await using store = await BlobStore.open(context.dir);
  await using versions = await VersionJournal.open(join(context.dir, 'versions.jsonl'));
  await checkContinuity(context, store, versions);
  await store.putBytes(Buffer.from(canonicalJson(context.manifest)));
  if (!versions.latest) await publishInitial(context, store, versions, signal);
  const parameterBytes = (await store.sizeOf((versions.latest as ModelVersion).parameters)) ?? 0;
  const uploads = await Uploads.open(store, {
    ...defaultUploadLimits,
    budgetBytes: accountBudgetBytes(context.manifest, parameterBytes),
  });
  await using server = await startBlobServer({
    ...context,
    store,
    uploads,
    versions,
    mayWrite: (account) => mayWrite(context.market.view, account, context),
    onError: (error) => {
      const { message, code } = error as Error & { code?: string };
      context.emit({ type: 'alert', level: 'error', message, ...(code ? { code } : {}) });
    },
  });
  context.emit({ type: 'process.ready', process: 'sot', url: server.url });
  try {
    await mergeRounds({ ...context, store }, versions, signal);
    await untilAborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** What one account may store: the results of every slot of the run, three attempts each, and the state before a wrong step of each.
 *  Enough for a worker that is drawn for everything, and a bound on what a hostile one can fill. */
function accountBudgetBytes(manifest: RunManifest, parameterBytes: number): number {
  const perTask = parameterBytes + 32 * (manifest.innerSteps + 1) + 64 * 1024;
  const state = 3 * parameterBytes;
  return manifest.rounds * manifest.slotsPerRound * (3 * perTask + state);
}

/** The journal must belong to this job, and what the next round needs must be on disk. */
async function checkContinuity(
  context: SotContext,
  store: BlobStore,
  versions: VersionJournal,
): Promise<void> {
  const { manifest, jobId, dir } = context;
  const own = sha256Hex(canonicalJson(manifest));
  const latest = versions.latest;
  if (own !== jobId || (latest && latest.jobId !== jobId)) {
    const received = own !== jobId ? own : latest?.jobId;
    throw new PanthaliaError(
      'config',
      `The Source of Truth in ${dir} should serve job ${jobId}; found ${received}.`,
      {
        code: 'sot.wrong_job',
        details: { dir, expected: jobId, received },
        next: 'choose another --run-dir, or the manifest this one was started with',
      },
    );
  }
  for (const blob of latest ? [latest.parameters, latest.momentum] : []) {
    if (blob === null || (await store.sizeOf(blob)) !== undefined) continue;
    throw new PanthaliaError(
      'check',
      `Version ${latest?.number} needs blob ${blob}, which is not in ${dir}.`,
      {
        code: 'sot.blob_missing',
        details: { dir, blob },
      },
    );
  }
}

async function publishInitial(
  context: SotContext,
  store: BlobStore,
  versions: VersionJournal,
  signal: AbortSignal,
): Promise<void> {
  const version = await initialVersion({ ...context, store }, signal);
  await versions.append(version);
  const message = `version 0: validation loss ${version.validationLoss.toFixed(4)}`;
  context.emit({ type: 'alert', level: 'info', code: 'sot.initial_version', message });
}

async function mergeRounds(
  context: SotContext & OuterStepContext,
  versions: VersionJournal,
  signal: AbortSignal,
): Promise<void> {
  // The step before a kill may be in the journal and not have been told.
  if (versions.latest) tellOuterStep(context, versions.latest);
  for (;;) {
    const base = versions.latest as ModelVersion;
    if (base.number >= context.manifest.rounds) return;
    const contributions = await deepContributions(context, base, signal);
    const version = await nextVersion(context, base, contributions, signal);
    await versions.append(version);
    tellOuterStep(context, version);
  }
}

/** Of every slot, once they are deep: a version that is merged stays, and a reorganisation may put a dispute in time before the acceptance
 *  that it makes anew. Where that takes blocks, says so: a chain that makes none by itself may make none. */
async function deepContributions(
  context: SotContext,
  base: ModelVersion,
  signal: AbortSignal,
): Promise<Contribution[]> {
  const { market, depth, emit } = context;
  const round = base.number;
  const accepted = (view: MarketView, upTo?: number) => acceptedTasks(view, context, round, base, upTo);
  for (let told = -1; ; ) {
    const next = await market.waitFor((view, { number: head }) => {
      const deep = accepted(view, head - depth);
      if (deep !== undefined) return { deep };
      const blocks = accepted(view)?.map(({ acceptedBlock }) => acceptedBlock);
      const block = blocks && Math.max(...blocks);
      return block === undefined || block === told ? undefined : { block, head };
    }, signal);
    if (next.deep !== undefined)
      return next.deep.map(({ slot, taskId, submission }) => ({
        ...{ slot, taskId, resultRoot: submission.resultRoot },
      }));
    told = next.block;
    const deepAt = told + depth;
    const message = `Round ${round} is accepted in block ${told} and merged ${depth} blocks later, with block ${deepAt}; the chain is at block ${next.head}. A chain that makes no blocks by itself has to be moved, or fewer waited for: --depth.`;
    emit({ type: 'alert', level: 'info', message, code: 'sot.waiting_for_depth' });
  }
}

function tellOuterStep({ emit }: SotContext, version: ModelVersion): void {
  const { round, stateRoot, parameters, validationLoss } = version;
  if (round !== null) emit({ type: 'outer.step', round, stateRoot, parameters, validationLoss });
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** A whole run in one process: the real roles on a real chain and a real SOT, with toy arithmetic. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { followMarket, type MarketFollower } from '../../src/chain/follow.js';
import { pan } from '../../src/chain/params.js';
import { recoverRequestSigner, requestDomain, requestSigner } from '../../src/chain/requestSigner.js';
import { createBlobClient } from '../../src/data/blobClient.js';
import type { ModelVersion } from '../../src/data/versions.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { canonicalId } from '../../src/protocol/canonicalJson.js';
import type { MarketView, TaskView } from '../../src/protocol/marketView.js';
import type { Address, Hex32, RunManifest } from '../../src/protocol/task.js';
import type { Compute, RoleContext, WorkerOptions } from '../../src/roles/context.js';
import { run as runMaster } from '../../src/roles/master.js';
import { run as runSot } from '../../src/roles/sot.js';
import { run as runWorker } from '../../src/roles/worker.js';
import type { WorkerReport } from '../../src/roles/workerState.js';
import { type Actor, actor, type TestChain } from './chain.js';
import { Interruptions, mineTogether, Questions } from './together.js';
import { toyCompute, toyManifest, toyOuterCompute } from './toyCompute.js';
import { passQuietWindows } from './windows.js';

const sotAccount = 1;
export const masterAccount = 2;
export const firstWorker = 3;

export interface ToyRun extends AsyncDisposable {
  manifest: RunManifest;
  jobId: Hex32;
  folder: string;
  sotUrl: string;
  /** what the Source of Truth has told */
  sotEvents: PanthaliaEvent[];
  /** aborted when the run ends, and its market with it */
  over: AbortSignal;
  /** Where blocks wait for everybody, does `work` while none comes; elsewhere it throws. */
  betweenBlocks(work: () => Promise<void>): Promise<void>;
  /** what a role gets that acts as this account */
  contextOf(account: number): Promise<RoleContext & { events: PanthaliaEvent[] }>;
  /** Starts a worker and waits until it has staked. */
  worker(account: number, options?: Partial<ToyWorkerOptions>): Promise<ToyWorker>;
  /** Runs the master to the end of the last round, or to `until`; the version it ends with. */
  master(until?: AbortSignal): Promise<ModelVersion>;
}

export interface ToyWorkerOptions extends WorkerOptions {
  compute: Compute;
  /** of a Source of Truth; default: the run's own */
  sotUrl: string;
  /** hears each event in the moment it happens */
  onEvent: (event: PanthaliaEvent) => void;
}

export interface ToyWorker {
  address: Address;
  events: PanthaliaEvent[];
  /** the first Ctrl-C */
  drain(): Promise<WorkerReport>;
}

export interface ToyRunOptions {
  /** see SotContext */
  depth?: number;
  /** blocks wait for everybody who takes part (together.ts), however slow the machine; not where the test mines */
  together?: boolean;
}

export async function startToyRun(
  local: TestChain,
  change: Partial<RunManifest> = {},
  { depth = 0, together = false }: ToyRunOptions = {},
): Promise<ToyRun> {
  const manifest = toyManifest(change);
  const jobId = canonicalId(manifest);
  const folder = await mkdtemp(join(tmpdir(), 'panthalia-toy-'));
  const stop = new AbortController();
  // A whole run hangs on this one signal; in a process of its own each role has one.
  setMaxListeners(0, stop.signal);
  const sotEvents: PanthaliaEvent[] = [];
  const actors: Actor[] = [];
  const ending: Promise<unknown>[] = [];
  const markets: MarketFollower[] = [];
  const [questions, interruptions] = [new Questions(), new Interruptions()];
  if (together) ending.push(mineTogether(local, { markets, questions, interruptions }, stop.signal));
  const follow = async (account: number, onEvent?: (event: PanthaliaEvent) => void) => {
    const one = await actor(local, account, onEvent);
    actors.push(one);
    const { deployment } = local;
    questions.add(one.chain.provider);
    const market = await followMarket({ chain: one.chain, deployment, signal: stop.signal, pollMs: 50 });
    markets.push(market);
    return { ...one, deployment, market };
  };
  const batch = { inputs: new Int32Array(2), targets: new Int32Array(2) };
  const sotUrl = await new Promise<string>((resolve, reject) => {
    void (async () => {
      const { market } = await follow(sotAccount);
      const sot = runSot(
        {
          manifest,
          jobId,
          buyer: developmentAddresses(3)[masterAccount] as Address,
          subnetId: local.deployment.subnetId,
          leastBond: pan(1),
          depth,
          market,
          domain: requestDomain(local.deployment),
          recoverSigner: recoverRequestSigner,
          dataset: { validationBatches: (windows, rows) => new Array(windows / rows).fill(batch) },
          compute: toyOuterCompute,
          dir: join(folder, 'sot'),
          host: '127.0.0.1',
          port: 0,
          emit: (event) => {
            sotEvents.push(event);
            if (event.type === 'process.ready') resolve(event.url as string);
          },
        },
        stop.signal,
      );
      ending.push(sot.catch(() => {}));
      await sot;
    })().catch(reject);
  });
  const contextOf = async (
    account: number,
    onEvent?: (event: PanthaliaEvent) => void,
    url: string = sotUrl,
  ) => {
    const one = await follow(account, onEvent);
    const sign = requestSigner(one.chain, local.deployment);
    return { ...one, sot: createBlobClient({ url, sign, patienceMs: 2_000 }) };
  };
  return {
    manifest,
    jobId,
    folder,
    sotUrl,
    sotEvents,
    over: stop.signal,
    betweenBlocks: async (work) => {
      if (!together)
        throw new Error('blocks come by the clock here: startToyRun(.., .., { together: true })');
      await interruptions.add(work);
    },
    contextOf: (account) => contextOf(account),
    worker: async (account, { compute = toyCompute(), onEvent, sotUrl: url, ...options } = {}) => {
      let isReady = () => {};
      const ready = new Promise<void>((resolve) => {
        isReady = resolve;
      });
      const context = await contextOf(
        account,
        (event) => {
          if (event.type === 'process.ready') isReady();
          onEvent?.(event);
        },
        url,
      );
      const draining = new AbortController();
      const scratch = join(folder, `worker_${account}`);
      const all: WorkerOptions = { stakeAmount: pan(200), audit: 'assigned', staySeconds: 2, ...options };
      const running = runWorker(
        { ...context, compute, scratch, memory: scratch, options: all },
        draining.signal,
      );
      ending.push(running.catch(() => {}));
      await Promise.race([ready, running]);
      stop.signal.addEventListener('abort', () => draining.abort());
      return {
        address: developmentAddresses(account + 1)[account] as Address,
        events: context.events,
        drain: () => {
          draining.abort();
          return running;
        },
      };
    },
    master: async (until = stop.signal) => {
      const context = await contextOf(masterAccount);
      await runMaster({ ...context, manifest, jobId }, AbortSignal.any([stop.signal, until]));
      return context.sot.version(manifest.rounds);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the run is over'));
      await Promise.all(ending);
      for (const { chain } of actors) chain[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function tasksOf(view: MarketView): TaskView[] {
  return [...view.tasks.values()];
}

/** The task that `solver` is drawn for; certain when nobody else has staked yet. */
export async function assignedTo(run: ToyRun, solver: Address, signal: AbortSignal): Promise<TaskView> {
  const { market } = await run.contextOf(0);
  return market.waitFor((view) => tasksOf(view).find((task) => task.solver === solver), signal);
}

/** The same, once it has submitted. */
export async function submittedBy(run: ToyRun, solver: Address, signal: AbortSignal): Promise<TaskView> {
  const { market } = await run.contextOf(0);
  const isSubmitted = (task: TaskView) => task.solver === solver && task.submission !== null;
  return market.waitFor((view) => tasksOf(view).find(isSubmitted), signal);
}

/** Lets windows to dispute pass (passQuietWindows), each as soon as every one of `auditors` has found the result right. */
export async function passWindows(
  run: ToyRun,
  local: TestChain,
  { seconds, auditors = [], areChecked = false }: ToyWindows,
): Promise<void> {
  const { market } = await run.contextOf(0);
  const foundRight = ({ address, events }: ToyWorker, { taskId, solver }: TaskView) =>
    address === solver ||
    events.some(
      (event) => event.type === 'audit.finished' && event.taskId === taskId && event.firstWrongStep === null,
    );
  const isReady = (task: TaskView) =>
    auditors.every((auditor) => foundRight(auditor, task)) &&
    (!areChecked || market.view.checks.has(task.taskId));
  passQuietWindows(market, local, { seconds, isReady, over: run.over });
}

export interface ToyWindows {
  seconds: number;
  auditors?: readonly ToyWorker[];
  /** none passes before a checker is drawn */
  areChecked?: boolean;
}

/** A Source of Truth role on a real folder and a real port, with arithmetic small enough to check by hand and a market that
 *  the test writes fact by fact. */
import { readFile, writeFile } from 'node:fs/promises';
import { recoverRequestSigner } from '../../src/chain/requestSigner.js';
import type { BlobClient } from '../../src/data/blobClient.js';
import { createBlobClient } from '../../src/data/blobClient.js';
import type { ModelVersion } from '../../src/data/versions.js';
import type { PanthaliaEvent } from '../../src/events/types.js';
import { canonicalId } from '../../src/protocol/canonicalJson.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import { applyFacts } from '../../src/protocol/market.js';
import { emptyMarket, type MarketView } from '../../src/protocol/marketView.js';
import { sha256Hex } from '../../src/protocol/requestAuth.js';
import { taskSpec } from '../../src/protocol/spec.js';
import type { Address, Hex32, RunManifest } from '../../src/protocol/task.js';
import type { OuterCompute } from '../../src/roles/sot/outerStep.js';
import { run, type SotContext } from '../../src/roles/sot.js';
import { addresses, domain, signerOf } from './sotServer.js';

export const manifest: RunManifest = {
  schema: 'panthalia-run/1',
  preset: 'toy',
  opset: 'canon-f32-v1',
  model: { vocabSize: 256, blockSize: 2, layers: 1, heads: 1, width: 1 },
  dataset: sha256Hex('dataset'),
  seed: sha256Hex('seed'),
  rounds: 2,
  slotsPerRound: 3,
  innerSteps: 1,
  batch: { rows: 1, tokens: 2 },
  inner: {
    learningRate: 0.002,
    warmupSteps: 1,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.1,
    clipNorm: 1,
  },
  outer: { learningRate: 0.5, momentum: 0.5 },
  validationWindows: 2,
};
export const jobId = canonicalId(manifest);

/** Theta is a text file of one number, of 4 bytes like every parameter; the loss of a batch is theta itself. */
export const theta = (value: number) => Buffer.from(String(value).padEnd(4));
const read = async (path: string) => Number(await readFile(path, 'utf8'));
const stateRootOf = (bytes: Buffer) => sha256Hex(Buffer.concat([Buffer.from('state'), bytes]));

const compute: OuterCompute = {
  async createTrainer() {
    let state = theta(Number.NaN);
    return {
      parameterCount: 1,
      initialise: async () => {
        state = theta(8);
      },
      loadParameters: async (path) => {
        state = await readFile(path);
      },
      saveParameters: async (path) => {
        await writeFile(path, state);
        return { sha256: sha256Hex(state), sizeBytes: state.length };
      },
      evaluate: async () => Number(state.toString()),
      stateRoot: async () => stateRootOf(state),
      dispose: async () => {},
    };
  },
  /** The order of the slots shows: theta = 100 a + 10 b + c. */
  async outerStep({ results, outParameters, outMomentum, momentum }) {
    let sum = 0;
    for (const path of results) sum = 10 * sum + (await read(path));
    const parameters = theta(sum);
    await writeFile(outParameters, parameters);
    await writeFile(outMomentum, theta(momentum ? 1 : 0));
    return {
      parameters: { sha256: sha256Hex(parameters), sizeBytes: 4 },
      momentum: { sha256: sha256Hex(theta(0)), sizeBytes: 4 },
      stateRoot: stateRootOf(parameters),
    };
  },
};

/** The market of a test: facts go in, whoever waits is asked again. */
export class ToyMarket {
  view: MarketView = emptyMarket();
  readonly #asking = new Set<() => void>();
  readonly manifest: RunManifest;
  readonly jobId: Hex32;

  constructor(run = manifest) {
    this.manifest = run;
    this.jobId = canonicalId(run);
  }

  tell(...facts: FactWithoutPlace[]): void {
    const at = {
      blockNumber: this.view.block + 1,
      logIndex: 0,
      timestamp: 0,
      transactionHash: sha256Hex('tx'),
    };
    this.view = applyFacts(
      this.view,
      facts.map((fact) => ({ ...at, ...fact }) as ChainFact),
    );
    for (const ask of [...this.#asking]) ask();
  }

  waitFor<T>(ask: (view: MarketView, head: never) => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const answer = ask(this.view, { number: this.view.block } as never);
        if (answer === undefined) return;
        this.#asking.delete(check);
        resolve(answer);
      };
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#asking.add(check);
      check();
    });
  }

  stake(account: Address): void {
    this.tell({ type: 'SeatsStaked', subnetId: 1, role: 'solver', account, seats: 1, amount: 100n });
  }

  /** Posts the slots of a round on `base`; returns the tasks' ids in the order of `slots`. */
  post(
    base: ModelVersion,
    slots: number[],
    changes: { specHash?: Hex32; jobId?: Hex32; subnetId?: number } = {},
  ): Hex32[] {
    const batchId = sha256Hex(`batch ${this.view.block}`);
    const taskIds = slots.map((slot) => sha256Hex(`${batchId} ${slot}`));
    const { manifest, jobId } = this;
    const specHash = canonicalId(taskSpec(manifest, jobId, base.number, base));
    this.tell({
      type: 'BatchCreated',
      batchId,
      buyer: addresses[0] as Address,
      subnetId: 1,
      paramsVersion: 1,
      jobId,
      round: base.number,
      baseRoot: base.stateRoot,
      specHash,
      price: 10n,
      slots,
      taskIds,
      epoch: 0,
      openBy: 0,
      solveSeconds: 0,
      ...changes,
    } as FactWithoutPlace);
    return taskIds;
  }

  assign(taskId: Hex32, solver: Address): void {
    this.tell({ type: 'TaskAssigned', taskId, solver, attempt: 1, epoch: 0 });
  }

  accept(taskId: Hex32, resultRoot: Hex32): void {
    const solver = addresses[1] as Address;
    const submission = { traceRoot: sha256Hex('trace'), resultRoot, leavesBlob: sha256Hex('leaves') };
    this.tell(
      { type: 'TaskAssigned', taskId, solver, attempt: 1, epoch: 0 },
      { type: 'TaskSubmitted', taskId, solver, ...submission, challengeBy: 0 },
      { type: 'TaskAccepted', taskId, solver },
    );
  }
}

type Place = 'blockNumber' | 'logIndex' | 'timestamp' | 'transactionHash';
type FactWithoutPlace = ChainFact extends infer Fact
  ? Fact extends ChainFact
    ? Omit<Fact, Place>
    : never
  : never;

export interface ToySot {
  events: PanthaliaEvent[];
  /** signs as account [0], the buyer */
  client: BlobClient;
  clientOf(account: number): BlobClient;
  /** Ends when the role has ended; rejects with its error. */
  ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the role and waits until it serves, or fails as it fails. */
export async function startToySot(
  dir: string,
  market: ToyMarket,
  changes: Partial<SotContext> = {},
): Promise<ToySot> {
  const abort = new AbortController();
  const events: PanthaliaEvent[] = [];
  let ready: (url: string) => void;
  const url = new Promise<string>((resolve) => {
    ready = resolve;
  });
  const batch = { inputs: new Int32Array(2), targets: new Int32Array(2) };
  const ended = run(
    {
      manifest: market.manifest,
      jobId: market.jobId,
      buyer: addresses[0] as Address,
      subnetId: 1,
      market: market as unknown as SotContext['market'],
      domain,
      recoverSigner: recoverRequestSigner,
      leastBond: 5n,
      depth: 0,
      dataset: { validationBatches: (windows, rows) => new Array(windows / rows).fill(batch) },
      compute,
      dir,
      host: '127.0.0.1',
      port: 0,
      emit: (event) => {
        events.push(event);
        if (event.type === 'process.ready') ready(event.url as string);
      },
      ...changes,
    },
    abort.signal,
  );
  ended.catch(() => {}); // Whoever cares awaits it.
  const base = await Promise.race([url, ended.then(() => Promise.reject(new Error('the role ended')))]);
  const clientOf = (account: number) => createBlobClient({ url: base, sign: signerOf(account) });
  return {
    events,
    client: clientOf(0),
    clientOf,
    ended,
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

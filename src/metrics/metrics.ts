/** What a process tells Prometheus, counted from its events and asked of its view of the market at each scrape.
 *  Names and labels are an interface: docs/grafana-dashboard.json and docs/alerts.yml use them. */
import type { EventListener } from '../events/bus.js';
import type { StampedEvent } from '../events/types.js';
import { applyFacts } from '../protocol/market.js';
import { emptyMarket, type MarketView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';

export interface Metrics {
  /** Subscribes to the bus of the process. */
  listener: EventListener;
  /** Where a role gets its view of the market: its own follower. A run that tells chain facts as events needs none. */
  follow(market: { readonly view: MarketView; readonly head: { number: number } }): void;
  /** text in Prometheus' exposition format */
  text(): Promise<string>;
  readonly contentType: string;
}

export interface MetricsOptions {
  /** label of panthalia_build_info */
  build: Record<string, string>;
  now?: () => number;
}

/** Each call has its own registry. */
export async function createMetrics({ build, now = Date.now }: MetricsOptions): Promise<Metrics> {
  const { default: prom } = await import('prom-client');
  const registry = new prom.Registry();
  const registers = [registry];
  prom.collectDefaultMetrics({ register: registry });

  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new prom.Counter({ name: `panthalia_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = [], collect?: (own: Gauge) => void) =>
    new prom.Gauge({
      ...{ name: `panthalia_${name}`, help, labelNames, registers },
      ...(collect === undefined
        ? {}
        : {
            collect() {
              this.reset();
              collect(this);
            },
          }),
    });
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new prom.Histogram({ name: `panthalia_${name}`, help, labelNames, buckets, registers });
  type Gauge = InstanceType<typeof prom.Gauge<string>>;

  const trainLoss = gauge('train_loss', 'Loss of the newest inner step, nats per token.', ['worker']);
  const trainSteps = counter('train_steps_total', 'Inner steps made.', ['worker']);
  const trainTokens = counter('train_tokens_total', 'Tokens trained on, accepted or not.', ['worker']);
  const stepSeconds = histogram('train_step_seconds', 'Time of one inner step.', ['worker'], log(0.001, 100));
  const outerSteps = counter('outer_steps_total', 'Outer steps applied.');
  const validationLoss = gauge('validation_loss', 'Loss after the newest outer step, nats per token.');
  const modelVersion = gauge(
    'model_version',
    'Version of the model: outer steps applied since the start of the job.',
  );
  const transferBytes = counter('transfer_bytes_total', 'Bytes of blobs.', ['worker', 'direction']);
  const transferSeconds = counter('transfer_seconds_total', 'Time in transfers.', ['worker', 'direction']);
  const solveSeconds = histogram(
    'task_solve_seconds',
    'Engine time of one solution.',
    ['worker'],
    log(0.1, 10_000),
  );
  const verifications = counter('verifications_total', 'Re-executions: audits, checks and votes.', [
    'worker',
    'verdict',
  ]);
  const transactions = counter('chain_tx_total', 'Transactions sent.', ['process']);
  const gas = counter('chain_gas_total', 'Gas used.', ['process']);
  const alerts = counter('alerts_total', 'Warnings and errors.', ['process', 'level']);
  const restarts = counter('process_restarts_total', 'Starts after the first.', ['process']);
  const up = gauge('process_up', '1 while the process runs.', ['process']);
  new prom.Gauge({
    ...{ name: 'panthalia_build_info', help: 'What runs.', labelNames: Object.keys(build), registers },
  }).set(build, 1);

  let told = emptyMarket();
  let followed: { readonly view: MarketView; readonly head: { number: number } } | null = null;
  let names = new Map<Address, string>();
  const market = () => followed?.view ?? told;
  const nameOf = (account: Address) => names.get(account) ?? account;
  const tokens = (amount: bigint) => Number(amount) / 1e18;
  const lastEventMs = new Map<string, number>();
  const started = new Set<string>();
  let batchTokens = 0;

  gauge('chain_block', 'The newest block that this process has seen.', [], (own) =>
    own.set(followed?.head.number ?? told.block),
  );
  gauge('tasks', 'Tasks by state.', ['state'], (own) => {
    for (const { state } of market().tasks.values()) own.inc({ state });
  });
  gauge('disputes', 'Cases by verdict; pending while one is open.', ['verdict'], (own) => {
    for (const { verdict } of market().cases.values()) own.inc({ verdict: verdict ?? 'pending' });
  });
  gauge('stake_seats', 'Seats that can be drawn.', ['account', 'role'], (own) => {
    for (const { account, role, seats, jailed } of market().positions.values()) {
      own.set({ account: nameOf(account), role }, jailed ? 0 : seats);
    }
  });
  gauge('slashed_tokens', 'Tokens lost to slashing, ever.', ['account', 'role'], (own) => {
    for (const { account, role, slashed } of market().positions.values()) {
      own.set({ account: nameOf(account), role }, tokens(slashed));
    }
  });
  gauge('earned_tokens', 'Prices and shares of panels, ever.', ['account'], (own) => {
    for (const { state, solver, price } of market().tasks.values()) {
      if (state === 'accepted' && solver !== null) own.inc({ account: nameOf(solver) }, tokens(price));
    }
    for (const { rounds } of market().cases.values()) {
      for (const { voter, paid } of rounds.flatMap(({ seats }) => seats)) {
        own.inc({ account: nameOf(voter) }, tokens(paid));
      }
    }
  });
  gauge('fees_paid_tokens', 'Fees of panels, ever.', ['account'], (own) => {
    for (const { payer, fee } of [...market().cases.values()].flatMap(({ rounds }) => rounds)) {
      own.inc({ account: nameOf(payer) }, tokens(fee));
    }
  });
  gauge('last_event_age_seconds', 'Since a process last said anything.', ['process'], (own) => {
    for (const [process, ms] of lastEventMs) own.set({ process }, (now() - ms) / 1000);
  });

  const count = (event: StampedEvent) => {
    const { src: worker } = event;
    lastEventMs.set(worker, now());
    switch (event.type) {
      case 'run.started': {
        const { batch } = event.manifest as { batch?: { rows: number; tokens: number } };
        batchTokens = (batch?.rows ?? 0) * (batch?.tokens ?? 0);
        const accounts = (event.options.accounts ?? {}) as Record<string, Address>;
        names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
        return;
      }
      case 'chain.fact':
        told = applyFacts(told, [event.fact]);
        return;
      case 'train.step':
        trainLoss.set({ worker }, event.loss);
        trainSteps.inc({ worker });
        trainTokens.inc({ worker }, batchTokens);
        stepSeconds.observe({ worker }, event.milliseconds / 1000);
        return;
      case 'task.solved':
        return solveSeconds.observe({ worker }, event.computeSeconds);
      case 'audit.finished':
      case 'check.computed':
        return verifications.inc({ worker, verdict: event.firstWrongStep === null ? 'valid' : 'invalid' });
      case 'vote.computed':
        return verifications.inc({ worker, verdict: event.verdict });
      case 'outer.step':
        outerSteps.inc();
        validationLoss.set(event.validationLoss);
        modelVersion.set(event.round + 1);
        return;
      case 'blob.pulled':
      case 'blob.pushed': {
        const direction = event.type === 'blob.pushed' ? 'up' : 'down';
        transferBytes.inc({ worker, direction }, event.sizeBytes);
        transferSeconds.inc({ worker, direction }, event.seconds);
        return;
      }
      case 'transaction.sent':
        transactions.inc({ process: worker });
        gas.inc({ process: worker }, Number(event.gasUsed));
        return;
      case 'alert':
        if (event.level === 'warn' || event.level === 'error')
          alerts.inc({ process: worker, level: event.level });
        return;
      case 'process.started':
        up.set({ process: event.process }, 1);
        if (started.has(event.process)) restarts.inc({ process: event.process });
        started.add(event.process);
        return;
      case 'process.exited':
        return up.set({ process: event.process }, 0);
    }
  };
  return {
    listener: count,
    follow: (market) => {
      followed = market;
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** 1, 2.5, 5, 10, ... from `least` to `most` */
function log(least: number, most: number): number[] {
  const buckets: number[] = [];
  for (let decade = least; decade <= most; decade *= 10) {
    buckets.push(...[1, 2.5, 5].map((step) => Number((decade * step).toPrecision(3))));
  }
  return buckets;
}

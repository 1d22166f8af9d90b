/** What a process tells Prometheus, counted from its events and asked of its view of the market at each scrape.
 *  Names and labels are an interface: docs/grafana-dashboard.json and docs/alerts.yml use them. */
import type { EventListener } from '../events/bus.js';
import { applyFacts } from '../protocol/market.js';
import { emptyMarket, type MarketView } from '../protocol/marketView.js';
import type { Address } from '../protocol/task.js';
import { countEvents } from './eventMetrics.js';
import { createInstruments } from './instruments.js';
import { addMarketGauges } from './marketGauges.js';

interface Followed {
  readonly view: MarketView;
  readonly head: { number: number };
}

export interface Metrics {
  /** Subscribes to the bus of the process. */
  listener: EventListener;
  /** Where a role gets its view of the market: its own follower. A run that tells chain facts as events needs none. */
  follow(market: Followed): void;
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
  prom.collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(prom, registry);
  const { gauge } = instruments;
  gauge('build_info', 'What runs.', Object.keys(build)).set(build, 1);

  let told = emptyMarket();
  let followed: Followed | null = null;
  let names = new Map<Address, string>();
  const lastEventMs = new Map<string, number>();
  gauge('chain_block', 'The newest block that this process has seen.', [], (own) =>
    own.set(followed?.head.number ?? told.block),
  );
  gauge('last_event_age_seconds', 'Since a process last said anything.', ['process'], (own) => {
    for (const [process, ms] of lastEventMs) own.set({ process }, (now() - ms) / 1000);
  });
  addMarketGauges(
    instruments,
    () => followed?.view ?? told,
    (account) => names.get(account) ?? account,
  );
  const count = countEvents(instruments);
  return {
    listener: (event) => {
      lastEventMs.set(event.src, now());
      if (event.type === 'run.started') {
        const accounts = (event.options.accounts ?? {}) as Record<string, Address>;
        names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
      }
      if (event.type === 'chain.fact') told = applyFacts(told, [event.fact]);
      count(event);
    },
    follow: (market) => {
      followed = market;
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** Counters, gauges and histograms whose names begin with panthalia_, in one registry. */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Instruments {
  counter(name: string, help: string, labels?: string[]): Counter;
  /** collect: fills the gauge anew at each scrape */
  gauge(name: string, help: string, labels?: string[], collect?: (own: Gauge) => void): Gauge;
  histogram(name: string, help: string, labels: string[], buckets: number[]): Histogram;
}

export function createInstruments(prom: typeof import('prom-client'), registry: Registry): Instruments {
  const registers = [registry];
  return {
    counter: (name, help, labelNames = []) =>
      new prom.Counter({ name: `panthalia_${name}`, help, labelNames, registers }),
    gauge: (name, help, labelNames = [], collect) =>
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
      }),
    histogram: (name, help, labelNames, buckets) =>
      new prom.Histogram({ name: `panthalia_${name}`, help, labelNames, buckets, registers }),
  };
}

/** 1, 2.5, 5, 10, ... from `least` to `most` */
export function decades(least: number, most: number): number[] {
  const buckets: number[] = [];
  for (let decade = least; decade <= most; decade *= 10) {
    buckets.push(...[1, 2.5, 5].map((step) => Number((decade * step).toPrecision(3))));
  }
  return buckets;
}

/** One line every few seconds that says how far a run is, for whoever reads plain lines. */
import { duration } from '../dashboard/format.js';
import { taskLoad } from '../dashboard/market.js';
import { type DashboardModel, emptyModel, reduce, remainingMs, silenceOf } from '../dashboard/model.js';
import type { EventListener } from '../events/bus.js';

export interface Heartbeat {
  listener: EventListener;
  /** Twice is harmless. */
  stop(): void;
}

/** seconds: between two lines; 0 is never */
export function startHeartbeat({
  write,
  seconds,
}: {
  write: (line: string) => void;
  seconds: number;
}): Heartbeat {
  let model = emptyModel();
  const beat = () => {
    if (model.startedMs !== null && model.endedMs === null) write(heartbeatText(model, Date.now()));
  };
  const timer = seconds > 0 ? setInterval(beat, seconds * 1000) : null;
  timer?.unref();
  return {
    listener: (event) => {
      model = reduce(model, event);
    },
    stop: () => timer !== null && clearInterval(timer),
  };
}

/** 05:17:40 heartbeat step 356/1500 outer 3/8 loss 6.826 solving 3/4 disputes 1 eta 4m31s; solving: of the tasks that wait for a
 *  result those that have a solver, left out where none waits */
export function heartbeatText(model: DashboardModel, nowMs: number): string {
  const { facts, position, version, latestLoss, market } = model;
  const { assigned, active } = taskLoad(market);
  const left = remainingMs(model, nowMs);
  const eta = left === null ? '' : ` eta ${duration(left)}`;
  const step = `${position}/${facts.rounds * facts.innerSteps}`;
  const loss = latestLoss === null ? '-' : latestLoss.toFixed(3);
  const solving = active === 0 ? '' : ` solving ${assigned}/${active}`;
  const figures = `step ${step} outer ${version}/${facts.rounds} loss ${loss}${solving}`;
  const time = new Date(nowMs).toISOString().slice(11, 19);
  const silence = silenceOf(model, nowMs);
  const end = silence === null ? eta : `. ${silence}`;
  return `${time} heartbeat ${figures} disputes ${market.counts.disputed}${end}`;
}

/** The report of a run, from its events and its summary. Pure. */
import { formatTokens } from '../events/amount.js';
import { short } from '../events/describe.js';
import type { RunSummary } from '../events/summary.js';
import type { PanthaliaEvent, StampedEvent } from '../events/types.js';
import type { ChainFact } from '../protocol/facts.js';
import { areTermsTold, ledgerOf } from '../protocol/ledger.js';
import { applyFacts } from '../protocol/market.js';
import { emptyMarket } from '../protocol/marketView.js';
import type { Address, RunManifest } from '../protocol/task.js';
import type { LossFigure, ReportModel } from './model.js';
import { type MoneyFlow, moneyFlow } from './money.js';
import { disputeRows, type Of, type Story, taskRows, trafficRows, verificationOf, workBars } from './rows.js';
import { termsIn } from './terms.js';

/** summary: as the run wrote it, or as its events give it */
export function reportModel(events: readonly StampedEvent[], summary: RunSummary): ReportModel {
  const of = <T extends PanthaliaEvent['type']>(type: T) =>
    events.filter((event): event is Of<T> => event.type === type);
  const [started] = of('run.started');
  const startMs = Date.parse((started ?? events[0])?.t ?? new Date(0).toISOString());
  const facts = of('chain.fact').map(({ fact }) => fact);
  const story: Story = {
    of,
    at: ({ t }) => (Date.parse(t) - startMs) / 1000,
    market: applyFacts(emptyMarket(), facts),
    nameOf: namesOf(started),
  };
  const manifest = (started?.manifest as RunManifest | undefined) ?? null;
  const problem = of('alert').findLast(({ level, src }) => level === 'error' && src === 'simulate');
  const command = started?.options.command;
  return {
    ...{ run: summary.runId, outcome: summary.outcome, summary, manifest },
    problem: problem === undefined ? null : { message: problem.message, code: problem.code ?? null },
    command: typeof command === 'string' ? command : null,
    startedAt: started?.t ?? null,
    loss: lossFigure(story, manifest),
    onChain: onChainOf(story),
    money: moneyOf(story, facts),
    tasks: taskRows(story),
    disputes: disputeRows(story),
    work: workBars(story),
    verification: verificationOf(story),
    traffic: trafficRows(story),
    alerts: of('alert')
      .filter(({ level }) => level === 'warn' || level === 'error')
      .map((event) => ({
        ...{ seconds: story.at(event), src: event.src, level: event.level, message: event.message },
      })),
    environment: environmentRows(started, manifest),
  };
}

/** An account that the run does not know keeps the head of its address. */
function namesOf(started: Of<'run.started'> | undefined): (account: Address) => string {
  const accounts = (started?.options.accounts ?? {}) as Record<string, Address>;
  const names = new Map(Object.entries(accounts).map(([name, address]) => [address, name]));
  return (account) => names.get(account) ?? short(account);
}

function lossFigure({ of, at, nameOf }: Story, manifest: RunManifest | null): LossFigure {
  const { rows, tokens } = manifest?.batch ?? { rows: 0, tokens: 0 };
  const roundTokens = (manifest?.slotsPerRound ?? 0) * (manifest?.innerSteps ?? 0) * rows * tokens;
  return {
    training: of('train.step').map((event) => {
      const { src: worker, round, slot, step, taskId, loss } = event;
      return { seconds: at(event), worker, round, slot, step, taskId, loss };
    }),
    validation: of('outer.step').map((event) => {
      const { round, validationLoss: loss } = event;
      return { seconds: at(event), round, loss, tokens: (round + 1) * roundTokens };
    }),
    marks: of('chain.fact').flatMap((event): LossFigure['marks'] => {
      const { fact } = event;
      const seconds = at(event);
      if (fact.type === 'CaseOpened') {
        const label = `${nameOf(fact.disputer)} disputes task ${short(fact.taskId)}`;
        return [{ seconds, kind: 'dispute', label }];
      }
      if (fact.type !== 'SeatSlashed') return [];
      return [
        { seconds, kind: 'slash', label: `${nameOf(fact.account)} loses ${formatTokens(fact.amount)}` },
      ];
    }),
  };
}

/** The run's own job; others may have theirs in the same registry. */
function onChainOf({ market, nameOf }: Story): ReportModel['onChain'] {
  const job = [...market.jobs.values()].find(({ buyer }) => nameOf(buyer) === 'master');
  return job === undefined ? null : { rounds: job.rounds, stateRoot: job.stateRoot };
}

function moneyOf({ of, nameOf }: Story, facts: readonly ChainFact[]): MoneyFlow | null {
  const deployed = of('chain.deployed')[0];
  const versions = termsIn([...of('chain.deployed'), ...of('chain.terms')]);
  if (deployed === undefined || versions.size === 0 || !areTermsTold(facts, versions)) return null;
  const entries = ledgerOf(facts, versions);
  return moneyFlow({
    ...{ entries, nameOf, contracts: deployed.contracts },
    counted: of('vault.counted').at(-1) ?? null,
  });
}

function environmentRows(
  started: Of<'run.started'> | undefined,
  manifest: RunManifest | null,
): ReportModel['environment'] {
  const told = (started?.options.environment ?? {}) as Record<string, unknown>;
  const rows = Object.entries(told).map(([label, value]): [string, string] => [label, String(value)]);
  if (manifest === null) return rows;
  const { layers, heads, width, blockSize, vocabSize } = manifest.model;
  return [
    ...rows,
    ['opset', manifest.opset],
    [
      'model',
      `${layers} layers, ${heads} heads, width ${width}, block ${blockSize}, vocabulary ${vocabSize}`,
    ],
    ['dataset', manifest.dataset],
    ['seed', manifest.seed],
  ];
}

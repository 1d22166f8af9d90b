/** What PanthaliaLens says about the past of a chain. */
import { Interface, type InterfaceAbi } from 'ethers';
import { lensAbi } from '../../src/chain/abi.generated.js';
import type { BlockFacts } from '../../src/chain/watch.js';
import { watchBlocks } from '../../src/chain/watch.js';
import { caseOf } from '../../src/protocol/case.js';
import { type DueCall, dueCalls } from '../../src/protocol/keeper.js';
import { applyFacts } from '../../src/protocol/market.js';
import { isTerminal } from '../../src/protocol/marketQueries.js';
import { emptyMarket, type MarketView } from '../../src/protocol/marketView.js';
import type { Hex32 } from '../../src/protocol/task.js';
import { rulesOfTasks, type SubnetRules } from '../../src/roles/rules.js';
import type { TestChain } from './chain.js';

const face = new Interface(lensAbi as unknown as InterfaceAbi);
/** In the order of IPanthaliaLens.Action; what keeper.ts calls the same. */
const actions = [
  ...['none', 'fulfil', 'assignMany', 'expireMany', 'finalizeMany'],
  ...['closeDemand', 'drawSeats', 'advance', 'settle', 'closeSeats'],
  ...['drawChecker', 'closeCheck'],
] as const;

/** A check bears the id of its task. */
interface Subject {
  kind: 'task' | 'case' | 'check';
  id: Hex32;
}

type Said = { action: (typeof actions)[number]; which: number } | null;

export interface Difference {
  block: number;
  about: Subject;
  lens: Said;
  keeper: DueCall[];
}

export interface Comparison {
  /** of a task or a case with a block */
  compared: number;
  /** how often which call was due, by both */
  due: Record<string, number>;
  differences: Difference[];
}

/** The lens in every block of the chain's past beside keeper.ts on the facts until then. */
export async function compareLens(local: TestChain, rules: SubnetRules): Promise<Comparison> {
  const found: Comparison = { compared: 0, due: {}, differences: [] };
  let view = emptyMarket(local.deployment.subnetId);
  for (const { block, timestamp, facts } of await history(local)) {
    const before = view;
    view = applyFacts(view, facts);
    const calls = dueCalls(view, { block, now: timestamp }, await rulesOfTasks(rules, view));
    for (const about of subjects(before, view)) {
      const lens = await ask(local, view, about, { block, timestamp });
      const keeper = calls.filter((call) => isAbout(view, call, about));
      found.compared++;
      if (lens !== null) found.due[lens.action] = (found.due[lens.action] ?? 0) + 1;
      if (!agree(lens, keeper, calls)) found.differences.push({ block, about, lens, keeper });
    }
  }
  return found;
}

/** Block by block. */
async function history({ deployer: chain, deployment, signal }: TestChain): Promise<BlockFacts[]> {
  const last = await chain.provider.getBlockNumber();
  const read: BlockFacts[] = [];
  for await (const one of watchBlocks({ chain, deployment, signal })) {
    read.push(one);
    if (one.block >= last) break;
  }
  const facts = read.flatMap((one) => one.facts);
  const blocks: BlockFacts[] = [];
  for (let number = deployment.block; number <= last; number++) {
    const block = await chain.provider.getBlock(number);
    if (block === null) throw new Error(`there is no block ${number}`);
    const { timestamp } = block;
    const inIt = facts.filter((fact) => fact.blockNumber === number);
    blocks.push({ block: number, timestamp, facts: inIt, replacesFrom: null });
  }
  return blocks;
}

/** What is alive, or was until this block. */
function subjects(before: MarketView, view: MarketView): Subject[] {
  const tasks = [...view.tasks.values()].filter(({ taskId, state, demand }) => {
    const was = before.tasks.get(taskId)?.state ?? 'open';
    return !isTerminal(state) || !isTerminal(was) || (demand !== null && !demand.closed);
  });
  const cases = [...view.cases.values()].filter(
    ({ caseId, settled, rounds }) =>
      !settled ||
      before.cases.get(caseId) !== view.cases.get(caseId) ||
      rounds.some((round) => round.seats.some((seat) => !seat.closed)),
  );
  return [
    ...tasks.flatMap(({ taskId: id }): Subject[] => [
      { kind: 'task', id },
      { kind: 'check', id },
    ]),
    ...cases.map(({ caseId: id }): Subject => ({ kind: 'case', id })),
  ];
}

/** What is decided now lands in the next block, so the lens is asked as if it ran there. */
async function ask(
  { deployer, deployment }: TestChain,
  view: MarketView,
  { kind, id }: Subject,
  at: { block: number; timestamp: number },
): Promise<Said> {
  const name = { task: 'nextAction', case: 'nextCaseAction', check: 'nextCheckAction' }[kind];
  const task = view.tasks.get(id);
  const data = face.encodeFunctionData(name, task ? [task.terms, task.slot] : [caseOf(view, id)]);
  const answer = await deployer.provider.send('eth_call', [
    { to: deployment.contracts.lens, data },
    quantity(at.block),
    {},
    { number: quantity(at.block + 1), time: quantity(at.timestamp) },
  ]);
  const [next] = face.decodeFunctionResult(name, answer);
  if (!next.due) return null;
  return { action: actions[Number(next.action)] ?? 'none', which: Number(next.which) };
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}

function isAbout(view: MarketView, call: DueCall, { kind, id }: Subject): boolean {
  if (call.call === 'drawChecker' || call.call === 'closeCheck')
    return kind === 'check' && call.taskId === id;
  if (kind === 'check') return false;
  const task = view.tasks.get(id);
  if ('batchId' in call) return call.batchId === task?.batchId && call.slots.includes(task.slot);
  if ('taskId' in call) return call.taskId === id;
  return 'caseId' in call && call.caseId === id;
}

function agree(lens: Said, keeper: DueCall[], all: DueCall[]): boolean {
  if (lens === null) return keeper.length === 0;
  const seeds = all.flatMap((call) => (call.call === 'fulfil' ? [call.epoch] : []));
  if (lens.action === 'fulfil') {
    // The seed of a submission's epoch says whether there is a check at all.
    const areDraws = keeper.every(({ call }) => /^(assignMany|drawSeats|drawChecker)$/.test(call));
    return areDraws && seeds.includes(lens.which);
  }
  const [first] = keeper;
  if (first?.call === 'closeSeats' && first.round !== lens.which) return false;
  return first?.call === lens.action && keeper.every(({ call }) => call === lens.action);
}

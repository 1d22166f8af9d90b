import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createBlobClient } from '../../../src/data/blobClient.js';
import { type DueCall, dueCalls, type MarketRules } from '../../../src/protocol/keeper.js';
import type { Address } from '../../../src/protocol/task.js';
import { servedLeaves } from '../../../src/roles/keep.js';
import { Ripening, standIn } from '../../../src/roles/patience.js';
import { alice, History } from '../../helpers/facts.js';
import { hastyMarket } from '../../helpers/hastyMarket.js';

const sampling = { pMin: 0, pMax: 0, scoreHalf: 8, stepAuditRate: 0, auditSteps: 2 };
/** A window each: to draw a solver, to dispute, to show leaves. */
const versionOf = (openSeconds: number, challengeSeconds = 60, clockSeconds = 60) => ({
  ...{ openSeconds, challengeSeconds, clockSeconds, ...sampling },
  ...{ commitSeconds: 10, revealSeconds: 10, appealSeconds: 10 },
});
const rules: MarketRules = { epochLength: 4, seedDelay: 0, versions: new Map([[1, versionOf(60)]]) };

/** The calls made in each of the next blocks, a second each. */
function callsOver(history: History, blocks: number, patience: number): string[][] {
  const ripening = new Ripening(rules);
  return Array.from({ length: blocks }, () => {
    const { clock } = history.pass(1);
    return ripening.ripe(dueCalls(history.view, clock, rules), clock, () => patience).map(({ call }) => call);
  });
}

test('a keeper that waits for others makes a draw in the end, however many epochs its patience spans', () => {
  const history = new History();
  history.post([0]); // block 1, drawable from block 4 on
  const calls = callsOver(history, 18, 10); // blocks 2 .. 19
  const made = calls.flatMap((inBlock, i) => (inBlock.length > 0 ? [[i + 2, ...inBlock]] : []));
  expect(made).toEqual([
    [14, 'fulfil', 'assignMany'],
    [16, 'fulfil', 'assignMany'],
  ]);
});

test('who waits for others goes on waiting while they make the seeds, goes first when they do not, and not when they were faster', () => {
  const history = new History();
  history.post([0]);
  const ripening = new Ripening(rules);
  const pass = () => {
    const { clock } = history.pass(1);
    const calls = ripening.ripe(dueCalls(history.view, clock, rules), clock, () => 6);
    return calls.filter(({ call }) => call === 'fulfil');
  };
  const seedBy = (maker: 'others' | 'nobody') => {
    const made: DueCall[] = [];
    for (let block = 0; block < 4; block++) {
      made.push(...pass());
      const epoch = Math.floor((history.block + 1) / 4) - 1;
      const isWanted = dueCalls(history.view, history.clock, rules).some(({ call }) => call === 'fulfil');
      if (maker === 'others' && isWanted)
        history.tell({ type: 'SeedFulfilled', epoch, seed: `0x${'5e'.repeat(32)}` });
    }
    return made;
  };
  // The draw itself misses whoever makes the seed: one is wanted in every epoch.
  const relied = Array.from({ length: 6 }, () => seedBy('others')).flat();
  expect(relied).toEqual([]);
  const alone = [seedBy('nobody'), seedBy('nobody'), seedBy('nobody'), seedBy('nobody')].flat();
  expect(alone.length).toBeGreaterThan(1);
  ripening.beaten(alone[0] as DueCall);
  expect(seedBy('nobody')).toEqual([]);
});

test('a call in vain is made once per epoch', () => {
  const history = new History();
  history.post([0]);
  const calls = callsOver(history, 10, 0); // blocks 2 .. 11
  expect(calls.filter((inBlock) => inBlock.length > 0)).toHaveLength(2);
});

const [earliest, latest]: Address[] = [`0x${'00'.repeat(20)}`, `0x${'ff'.repeat(20)}`];

/** A market with a task of each version, from 1 on, and how long these two leave a call to others. */
function patienceIn(versions: ReturnType<typeof versionOf>[]) {
  const history = new History();
  const posted = versions.flatMap((_, i) => history.post([0], { paramsVersion: i + 1 }));
  const known = { ...rules, versions: new Map(versions.map((version, i) => [i + 1, version])) };
  const { view } = history;
  const batchIds = posted.map((taskId) => view.tasks.get(taskId)?.batchId ?? '0x');
  const of = (call: DueCall, due: DueCall[] = [call]) =>
    [earliest, latest].map((self) => standIn(self as Address).patienceFor(call, due, view, known));
  const draw = (i: number): DueCall => ({ call: 'assignMany', batchId: batchIds[i] ?? '0x', slots: [0] });
  return { posted, of, draw, known };
}

test('nobody who stands in for the master waits until a draw is lost, and not all wait equally long', () => {
  const wait = (openSeconds: number) => {
    const { of, draw } = patienceIn([versionOf(openSeconds)]);
    return of(draw(0));
  };
  expect(wait(4)).toEqual([1, expect.closeTo(2, 5)]);
  expect(wait(600)).toEqual([15, expect.closeTo(25, 5)]);
});

test('who stands in goes by the version of the task that it waits for', () => {
  const { posted, of, draw } = patienceIn([versionOf(600, 600, 600), versionOf(8, 600, 600)]);
  expect(of(draw(0))).toEqual([15, expect.closeTo(25, 5)]);
  expect(of(draw(1))).toEqual([2, expect.closeTo(4, 5)]);
  expect(of({ call: 'closeCheck', taskId: posted[1] ?? '0x' })).toEqual([2, expect.closeTo(4, 5)]);
});

test('a seed is made with the first draw that needs it, and not before: every epoch has its own', () => {
  const { of, draw } = patienceIn([versionOf(600, 8), versionOf(8, 600)]);
  const seed: DueCall = { call: 'fulfil', epoch: 7 };
  expect(of(seed, [seed, draw(0)])).toEqual(of(draw(0)));
  expect(of(seed, [seed, draw(0), draw(1)])).toEqual(of(draw(1)));
});

test('a checker is drawn before the challenge window is over, and leaves are shown before their time is', () => {
  const history = new History();
  const [taskId = '0x'] = history.post([0]);
  history.assign(taskId, alice).submit(taskId, alice);
  const known = { ...rules, versions: new Map([[1, versionOf(600, 8, 6)]]) };
  const wait = (call: DueCall) => standIn(latest as Address).patienceFor(call, [call], history.view, known);
  const epoch = Math.floor((history.view.tasks.get(taskId)?.submittedBlock ?? 0) / 4);
  // One after the other, and both within the window.
  expect(wait({ call: 'fulfil', epoch }) + wait({ call: 'drawChecker', taskId })).toBeLessThan(8 - 3);
  // Due when half of the time is gone.
  expect(wait({ call: 'publishLeaves', taskId })).toBeLessThan(6 / 2 - 1);
});

test('a Source of Truth that does not answer is asked for all leaves at once', async () => {
  const history = new History();
  const taskIds = history.post([0, 1, 2]);
  for (const taskId of taskIds) history.assign(taskId, alice).submit(taskId, alice);
  const open: ServerResponse[] = [];
  const server = createServer((_, answer) => {
    // Nobody gets anything before everybody has asked.
    if (open.push(answer) === taskIds.length) for (const one of open) one.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const context = { sot: createBlobClient({ url }), market: hastyMarket(history), emit: () => {} };
  const leaves = servedLeaves(context, taskIds, AbortSignal.timeout(20_000));
  expect(await Promise.all(leaves.values())).toEqual([null, null, null]);
  expect(open).toHaveLength(taskIds.length);
  server.close();
});

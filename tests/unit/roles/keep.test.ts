import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createBlobClient } from '../../../src/data/blobClient.js';
import { dueCalls, type MarketRules } from '../../../src/protocol/keeper.js';
import { Agenda, servedLeaves, standIn } from '../../../src/roles/keep.js';
import type { SubnetRules } from '../../../src/roles/rules.js';
import { alice, History } from '../../helpers/facts.js';
import { hastyMarket } from '../../helpers/hastyMarket.js';

const sampling = { pMin: 0, pMax: 0, scoreHalf: 8, stepAuditRate: 0, auditSteps: 2 };
const rules: MarketRules = {
  ...{ epochLength: 4, seedDelay: 0 },
  versions: new Map([[1, { openSeconds: 60, ...sampling }]]),
};

/** The calls made in each of the next blocks, a second each. */
function callsOver(history: History, agenda: Agenda, blocks: number): string[][] {
  return Array.from({ length: blocks }, () => {
    const { block, now } = history.pass(1).clock;
    return agenda.ripe(dueCalls(history.view, { block, now }, rules), block, now).map(({ call }) => call);
  });
}

test('a keeper that waits for others makes a draw in the end, however many epochs its patience spans', () => {
  const history = new History();
  history.post([0]); // block 1, drawable from block 4 on
  const calls = callsOver(history, new Agenda({ rules, patienceSeconds: 10 }), 18); // blocks 2 .. 19
  const made = calls.flatMap((inBlock, i) => (inBlock.length > 0 ? [[i + 2, ...inBlock]] : []));
  expect(made).toEqual([
    [14, 'fulfil', 'assignMany'],
    [16, 'fulfil', 'assignMany'],
  ]);
});

test('a call in vain is made once per epoch', () => {
  const history = new History();
  history.post([0]);
  const calls = callsOver(history, new Agenda({ rules }), 10); // blocks 2 .. 11
  expect(calls.filter((inBlock) => inBlock.length > 0)).toHaveLength(2);
});

test('nobody who stands in for the master waits until a draw is lost, and not all wait equally long', () => {
  const self = `0x${'ff'.repeat(20)}` as const;
  const first = `0x${'00'.repeat(20)}` as const;
  const wait = (openSeconds: number, account: typeof self) =>
    standIn({ params: { openSeconds } } as SubnetRules, account).patienceSeconds ?? 0;
  expect(wait(4, self)).toBeLessThanOrEqual(2);
  expect(wait(600, self)).toBeLessThanOrEqual(25);
  expect(wait(600, self)).toBeGreaterThan(wait(600, first));
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

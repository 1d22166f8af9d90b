import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { developmentAddresses } from '../../src/chain/accounts.js';
import { decodeEvent } from '../../src/events/line.js';
import type { StampedEvent } from '../../src/events/types.js';
import type { ChainFact } from '../../src/protocol/facts.js';
import type { Hex32 } from '../../src/protocol/task.js';
import {
  type Cli,
  type Finished,
  processesNaming,
  runCli,
  startCli,
  temporaryFolder,
} from '../helpers/cli.js';

/** Accounts of the development mnemonic that nobody in a run of four workers uses. */
const handWorker = 9;
const accounts = developmentAddresses(20);

type Fact<T extends ChainFact['type']> = Extract<ChainFact, { type: T }>;

async function fact<T extends ChainFact['type']>(
  cli: Cli,
  type: T,
  ask: (found: Fact<T>) => boolean,
): Promise<Fact<T>> {
  const isIt = (event: StampedEvent) =>
    event.type === 'chain.fact' && event.fact.type === type && ask(event.fact as Fact<T>);
  const event = await cli.event(type, isIt);
  return (event.type === 'chain.fact' ? event.fact : null) as Fact<T>;
}

function resultOf({ out }: Finished) {
  return JSON.parse(out.at(-1) ?? 'null');
}

test('a worker and disputes from other terminals work against a running simulate', async () => {
  const folder = join(temporaryFolder(), 'run');
  const simulate = startCli([
    ...['simulate', '--preset', 'smoke', '--rounds', '30', '--json', '--run-dir', folder],
    ...['--audit', 'never', '--cheat', 'worker_2:zero-delta', '--challenge-seconds', '25'],
  ]);
  const here = ['--deployment', join(folder, 'deployment.json')];
  const dispute = (taskId: string, index: number, ...flags: string[]) =>
    runCli(['dispute', taskId, ...here, '--mnemonic-index', String(index), '--json', ...flags]);

  const injected = await simulate.event('the cheat', ({ type }) => type === 'fault.injected');
  const wrong = injected.type === 'fault.injected' ? injected.taskId : ('' as Hex32);
  await fact(simulate, 'TaskSubmitted', ({ taskId }) => taskId === wrong);
  const right = await fact(simulate, 'TaskSubmitted', ({ taskId }) => taskId !== wrong);

  const worker = startCli(['worker', '--stake', '500', ...here, '--audit', 'never', '--json']);
  const [upheld, declined, unknown, poor, unreachable] = await Promise.all([
    dispute(wrong, 11),
    dispute(right.taskId, 12),
    dispute(`0x${'ab'.repeat(32)}`, 14),
    dispute(wrong, 60),
    dispute(wrong, 15, '--sot-url', 'http://127.0.0.1:1'),
  ]);

  expect([upheld.code, upheld.err.join('\n')]).toEqual([0, '']);
  expect(resultOf(upheld)).toMatchObject({
    success: true,
    data: { taskId: wrong, firstWrongStep: 0, verdict: 'invalid', rounds: 1, feePaid: '31', received: '61' },
  });
  expect(declined.code).toBe(14);
  expect(declined.err[0]).toContain('is right: the recomputation gives the same trace and result.');
  expect([unknown.code, resultOf(unknown).errors[0].code]).toEqual([11, 'task.not_found']);
  expect([poor.code, resultOf(poor).errors[0].code]).toEqual([7, 'account.no_tokens']);
  expect([unreachable.code, resultOf(unreachable).errors[0].code]).toEqual([6, 'sot.unreachable']);

  const rejected = await fact(simulate, 'TaskRejected', ({ taskId }) => taskId === wrong);
  await fact(simulate, 'SeatSlashed', ({ account }) => account === rejected.solver);

  // Three honest seats are left for four tasks, so the newcomer is drawn in the next round.
  const solved = await fact(simulate, 'TaskSubmitted', ({ solver }) => solver === accounts[handWorker]);
  worker.send('SIGINT');
  // Damage on the disk of the SOT: the bytes no longer have the hash they are asked for by.
  const { specHash } = await fact(simulate, 'BatchCreated', (batch) => batch.taskIds.includes(solved.taskId));
  const blob = join(folder, 'sot', 'blobs', specHash.slice(2, 4), specHash.slice(4));
  writeFileSync(blob, Buffer.alloc(statSync(blob).size, 'x'));
  const corrupt = await dispute(solved.taskId, 13);
  expect([corrupt.code, resultOf(corrupt).errors[0].code]).toEqual([5, 'sot.blob_corrupt']);

  // It has stayed until nobody could ask about its result.
  const left = await worker.finished;
  expect(left.code).toBe(130);
  expect(resultOf(left).data).toMatchObject({ slashed: '0' });
  expect(resultOf(left).data.solved).toBeGreaterThanOrEqual(1);
  expect(left.out.slice(0, -1).every((line) => decodeEvent(line) !== null)).toBe(true);

  const status = await runCli(['status', ...here, '--json']);
  expect(status.code).toBe(0);
  const { tasks, positions, ledger } = resultOf(status).data;
  expect(tasks.find((task: { taskId: string }) => task.taskId === wrong)).toMatchObject({
    state: 'rejected',
  });
  expect(positions.filter((position: { jailed: boolean }) => position.jailed)).toHaveLength(1);
  expect(ledger.slashed).toBe('100');
  const convict = await runCli(['status', rejected.solver, ...here]);
  expect(convict.out).toContainEqual(
    expect.stringMatching(/^stake +0x\w{40} solver +\d seats, 100 slashed, jailed: convicted/),
  );
  expect(convict.out.join('\n')).toContain(`${wrong} round 0`);
  const newcomer = await runCli(['status', accounts[handWorker] as string, ...here]);
  expect(newcomer.out.join('\n')).not.toContain('jailed');

  simulate.send('SIGINT');
  const { code, out } = await simulate.finished;
  expect(code).toBe(130);
  expect(processesNaming(folder)).toEqual([]);
  // Whoever was declined has not spent anything.
  const spenders = out.flatMap((line) => {
    const event = decodeEvent(line);
    return event?.type === 'chain.fact' && event.fact.type === 'Deposited' ? [event.fact.account] : [];
  });
  expect(spenders).toContain(accounts[11]);
  expect(spenders).not.toContain(accounts[12]);
});

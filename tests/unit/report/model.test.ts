import { expect, test } from 'vitest';
import type { StampedEvent } from '../../../src/events/types.js';
import { columns } from '../../../src/report/money.js';
import { cheatedRun, modelOf } from '../../helpers/demoRun.js';

const token = 10n ** 18n;

test('money: every column sums to zero, rows add up, and the vault says the same', () => {
  const money = modelOf(cheatedRun()).money;
  const zeros = { deposited: 0n, tasks: 0n, verifying: 0n, fees: 0n, slashing: 0n, held: 0n };
  expect(money?.sums).toEqual(zeros);
  expect(money?.differences).toEqual([]);
  // Four workers, the master, and the three contracts that hold tokens there.
  expect(money?.compared).toBe(8);
  for (const row of money?.rows ?? []) {
    expect(columns.reduce((sum, column) => sum + row[column], 0n)).toBe(row.held);
    expect(row.freeOnChain).toBe(row.account === null ? null : row.free);
  }
  const cheat = money?.rows.find(({ name }) => name === 'worker_2');
  expect(cheat).toMatchObject({ tasks: 0n, fees: 0n, slashing: -100n * token });
  expect(money?.rows.find(({ name }) => name === 'burned')?.held).toBe(30n * token);
});

test('a vault that holds something else than the events say is told', () => {
  const events = cheatedRun().map((event): StampedEvent => {
    if (event.type !== 'vault.counted') return event;
    const [first, ...rest] = event.accounts;
    return first === undefined ? event : { ...event, accounts: [{ ...first, amount: 1n }, ...rest] };
  });
  const differences = modelOf(events).money?.differences;
  expect(differences?.map(({ name, onChain }) => [name, onChain])).toEqual([['staking', 1n]]);
});

test('the dispute has its step, its panel and its votes', () => {
  const { disputes, tasks, loss } = modelOf(cheatedRun());
  expect(disputes).toHaveLength(1);
  expect(disputes[0]).toMatchObject({ solver: 'worker_2', verdict: 'invalid', burned: '30' });
  const [panel] = disputes[0]?.panels ?? [];
  expect(panel).toMatchObject({ panel: 1, fee: '30', ruling: 'invalid', payer: disputes[0]?.disputer });
  const votes = panel?.seats.map(({ vote, got, lost }) => [vote, got, lost]);
  expect(votes).toEqual(new Array(3).fill(['invalid', '10', '0']));
  const task = tasks.find(({ taskId }) => taskId === disputes[0]?.taskId);
  expect(task).toMatchObject({ state: 'rejected', solver: 'worker_2' });
  expect(task?.audits.some(({ firstWrongStep }) => firstWrongStep === disputes[0]?.step)).toBe(true);
  expect(loss.marks.map(({ kind }) => kind)).toEqual(['dispute', 'slash']);
});

test('tokens stand at the outer steps, times run forward, and all engine time is somewhere', () => {
  const { loss, tasks, verification, summary, manifest, work } = modelOf(cheatedRun());
  expect(loss.validation.at(-1)?.tokens).toBe(summary.tokens);
  expect(loss.validation.map(({ round }) => round)).toEqual([0, 1]);
  expect(loss.training).toHaveLength(summary.tasks.posted * (manifest?.innerSteps ?? 0));
  for (const { postedAt, assignedAt, submittedAt, endedAt } of tasks) {
    expect([postedAt, assignedAt, submittedAt, endedAt]).toEqual(
      [postedAt, assignedAt, submittedAt, endedAt].sort((a, b) => Number(a) - Number(b)),
    );
  }
  const { accepted, discarded, auditing, verifying } = verification.seconds;
  expect(accepted + discarded + auditing + verifying).toBeCloseTo(summary.computeSeconds, 2);
  expect(discarded).toBeGreaterThan(0);
  expect(verification).toMatchObject({ submitted: 9, auditsWrong: 1, votes: 3 });
  for (const { from, to } of work) expect(from).toBeLessThanOrEqual(to);
});

test('a run that failed says why', () => {
  const ended = cheatedRun().at(-1) as StampedEvent;
  const alert = {
    type: 'alert',
    level: 'error',
    message: 'The chain is gone.',
    code: 'rpc.unreachable',
  } as const;
  const { problem } = modelOf([...cheatedRun(), { ...ended, ...alert, src: 'simulate' }]);
  expect(problem).toEqual({ message: 'The chain is gone.', code: 'rpc.unreachable' });
});

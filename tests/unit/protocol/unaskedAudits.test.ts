import { expect, test } from 'vitest';
import type { Address } from '../../../src/protocol/task.js';
import { assignedAuditor, shouldAudit } from '../../../src/protocol/unaskedAudits.js';
import { alice, bob, carol } from '../../helpers/facts.js';

const dave: Address = '0xDADADADADADADADADADADADADADADADADADADADA';
const stakers = [alice, bob, carol, dave];

test('in every round each staker audits exactly one of the others', () => {
  for (let round = 0; round < 12; round++) {
    const auditors = stakers.map((solver) => assignedAuditor({ solver, round }, stakers));
    expect(new Set(auditors).size).toBe(stakers.length);
    stakers.forEach((solver, i) => {
      expect(auditors[i]).not.toBe(solver);
    });
  }
});

test('over the rounds a solver meets every auditor', () => {
  const met = new Set([0, 1, 2].map((round) => assignedAuditor({ solver: alice, round }, stakers)));
  expect([...met].sort()).toEqual([bob, carol, dave].sort());
});

test('the order in which the stakers are listed does not matter, and one worker alone says yes', () => {
  const task = { solver: bob, round: 5 };
  expect(assignedAuditor(task, [...stakers].reverse())).toBe(assignedAuditor(task, stakers));
  expect(stakers.filter((self) => shouldAudit('assigned', task, self, stakers))).toHaveLength(1);
});

test('a solver that is no staker any more is audited all the same', () => {
  expect([bob, carol, dave]).toContain(assignedAuditor({ solver: alice, round: 7 }, [bob, carol, dave]));
});

test('the other policies: nobody, or everybody but the solver', () => {
  const task = { solver: alice, round: 0 };
  expect(stakers.filter((self) => shouldAudit('never', task, self, stakers))).toEqual([]);
  expect(stakers.filter((self) => shouldAudit('all', task, self, stakers))).toEqual([bob, carol, dave]);
});

test('a solver that is alone has no auditor', () => {
  expect(assignedAuditor({ solver: alice, round: 0 }, [alice])).toBeUndefined();
});

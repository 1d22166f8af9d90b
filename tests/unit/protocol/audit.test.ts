import { expect, test } from 'vitest';
import { assignedAuditor, shouldAudit } from '../../../src/protocol/audit.js';
import { sha256Hex } from '../../../src/protocol/requestAuth.js';
import { alice, bob, carol } from '../../helpers/facts.js';

const stakers = [alice, bob, carol];

test('every submission has exactly one assigned auditor, never its solver', () => {
  const audited = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const task = { taskId: sha256Hex(`task ${i}`), solver: stakers[i % 3] ?? alice };
    const auditors = stakers.filter((self) => shouldAudit('assigned', task, self, stakers));
    expect(auditors).toHaveLength(1);
    expect(auditors).not.toContain(task.solver);
    expect(assignedAuditor(task.taskId, task.solver, [...stakers].reverse())).toBe(auditors[0]);
    audited.set(auditors[0] ?? '', (audited.get(auditors[0] ?? '') ?? 0) + 1);
  }
  // 100 each expected; five standard deviations.
  for (const self of stakers) expect(Math.abs((audited.get(self) ?? 0) - 100)).toBeLessThan(42);
});

test('the other policies: nobody, or everybody but the solver', () => {
  const task = { taskId: sha256Hex('task'), solver: alice };
  expect(stakers.filter((self) => shouldAudit('never', task, self, stakers))).toEqual([]);
  expect(stakers.filter((self) => shouldAudit('all', task, self, stakers))).toEqual([bob, carol]);
});

test('a solver that is alone has no auditor', () => {
  expect(assignedAuditor(sha256Hex('task'), alice, [alice])).toBeUndefined();
});

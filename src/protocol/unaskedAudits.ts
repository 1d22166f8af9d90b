/** Who looks at whose submission although nothing on chain asks for it. What the chain asks for is in drawnChecks.ts. */
import type { Address } from './task.js';

/** `assigned`: every submitted task has one auditor; `all`: every worker audits every task it did not solve; `drawn`: nobody looks
 *  unless the chain has drawn it to. */
export const auditPolicies = ['never', 'assigned', 'all', 'drawn'] as const;
export type AuditPolicy = (typeof auditPolicies)[number];

/** The staker `round` + 1 places behind the solver, the solver itself left out of the circle. Everyone computes the same one
 *  without a message; within a round each staker audits as many tasks as one other solved, so windows can be short; and
 *  the pairs change with the round. The solver can compute it too: this spreads work, it does not replace drawn audits.
 *  round: of training */
export function assignedAuditor(
  { solver, round }: { solver: Address; round: number },
  stakers: readonly Address[],
): Address | undefined {
  const others = stakers.filter((account) => account !== solver).sort();
  const behind = others.filter((account) => account < solver).length;
  return others[(behind + round) % others.length];
}

/** Whether `self` audits this submission. stakers: accounts with drawable solver seats */
export function shouldAudit(
  policy: AuditPolicy,
  task: { solver: Address; round: number },
  self: Address,
  stakers: readonly Address[],
): boolean {
  if (policy === 'never' || policy === 'drawn' || task.solver === self) return false;
  return policy === 'all' || assignedAuditor(task, stakers) === self;
}

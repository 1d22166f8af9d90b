/** What a worker does with the work it is given; the rest of the worker does not care whether it is honest. */
import { type Audit, auditTask } from './auditor.js';
import { type Solve, solveTask } from './solver.js';
import { type Judge, judgeTask } from './verifier.js';

export interface Behaviour {
  solve: Solve;
  judge: Judge;
  audit: Audit;
  /** whether it appeals rulings against its own results */
  defends: boolean;
}

export const honest: Behaviour = { solve: solveTask, judge: judgeTask, audit: auditTask, defends: true };

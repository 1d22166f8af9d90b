/** What a worker does with the work it is given; the rest of the worker does not care whether it is honest. */

import { type AnswerSteps, answerSteps } from './answers.js';
import { type Audit, auditTask } from './auditor.js';
import { type CheckTask, checkTask } from './checker.js';
import { type Solve, solveTask } from './solver.js';
import { type Judge, judgeTask } from './verifier.js';

export interface Behaviour {
  solve: Solve;
  judge: Judge;
  audit: Audit;
  check: CheckTask;
  answer: AnswerSteps;
  /** whether it goes to court for what it has computed: appeals rulings against its results, pins where an answer is not its own */
  defends: boolean;
}

export const honest: Behaviour = {
  ...{ solve: solveTask, judge: judgeTask, audit: auditTask, check: checkTask, answer: answerSteps },
  defends: true,
};

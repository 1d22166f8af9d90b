import { expect, test } from 'vitest';
import { deadlinesOf } from '../../../src/actions/deadlines.js';
import { tiny } from '../../../src/config/presets.js';

const pace = { stepSeconds: 0.05, cores: 2 };

test('an auditor can finish the task in hand and replay another before the first window closes', () => {
  const config = { ...tiny(), innerSteps: 100 };
  const { challengeSeconds } = deadlinesOf(config, pace);
  expect(challengeSeconds).toBeGreaterThanOrEqual(2 * 100 * pace.stepSeconds);
});

test('the window grows with the work and with the crowd, and a setting wins over the measurement', () => {
  const window = (change: object, at = pace) => deadlinesOf({ ...tiny(), ...change }, at).challengeSeconds;
  expect(window({ innerSteps: 80 })).toBeGreaterThan(window({ innerSteps: 40 }));
  expect(window({}, { ...pace, cores: 1 })).toBeGreaterThan(window({}));
  expect(window({ audit: 'all' })).toBeGreaterThan(window({}));
  const chain = { ...tiny().chain, challengeSeconds: 7.5 };
  expect(window({ chain })).toBe(8);
});

test('a task may wait for a seat as long as another task takes to become final', () => {
  const { openSeconds, solveSeconds, challengeSeconds, ...others } = deadlinesOf(tiny(), pace);
  // A solver that has lost its trace makes it again, and so does a verifier without the state before a step.
  expect(others.clockSeconds).toBeGreaterThanOrEqual(solveSeconds);
  expect(others.commitSeconds).toBeGreaterThanOrEqual(solveSeconds);
  expect(openSeconds).toBeGreaterThanOrEqual(solveSeconds + challengeSeconds);
});

import { expect, it } from 'vitest';
import { conformanceDefaults, pinnedDigests } from '../../src/engine/conformance.js';
import { conformanceDigest } from '../helpers/naiveCanon/conformance.js';

/** The whole digest of an implementation that is written from docs/opset-canon-f32-v1.md alone; npm test takes its first 4 steps. Two minutes of one core (110 s, 2026-11-28). */
it('the naive implementation prints the conformance digest of 64 steps', () => {
  const { steps } = conformanceDefaults;
  expect(conformanceDigest(steps, `0x${'00'.repeat(32)}`)).toBe(pinnedDigests[steps]);
});

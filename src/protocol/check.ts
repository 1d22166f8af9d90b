/** A drawn check: one verifier looks at a few steps of a submission that nobody disputes, and proves that it did.
 *  Twin: contracts/Audit.sol, contracts/libraries/CheckHash.sol; docs/protocol.md, checks */
import { createHash, createHmac } from 'node:crypto';
import { keccak, keccakWords } from './abiWords.js';
import { auditedSteps, type SamplingTerms } from './sampling.js';
import { fp32Bits } from './spec.js';
import type { Address, Hex32, Opset } from './task.js';
import { type Transition, traceProof } from './trace.js';

const zero32: Hex32 = `0x${'00'.repeat(32)}`;

/** Answers to a check are one word, so many bytes of it for each step. */
const answerBytes = 8;
export const mostCheckedSteps = 32 / answerBytes;

const checkTypeHash = keccak(
  Buffer.from(
    'PanthaliaCheck(uint256 chainId,address audit,bytes32 taskId,address checker,bytes32 answers,bytes32 salt)',
    'ascii',
  ),
);

/** Steps k of the transitions k -> k + 1 that a check looks at, in the order of its answers. A check of the whole task begins with the
 *  last one: whoever has come there from the base has seen all.  steps: H */
export function checkedSteps(
  terms: SamplingTerms,
  { roll, whole }: { roll: Hex32; whole: boolean },
  steps: number,
): number[] {
  const drawn = auditedSteps(terms, roll, steps);
  return whole ? [steps - 1, ...drawn.slice(1)] : drawn;
}

/** All that leaf k + 1 of a trace says about the step k -> k + 1. */
export type SeenStep = Transition & { stateRoot: Hex32 };

/** Of the first steps of a task, or of all. */
export interface Made {
  /** S_0 .. */
  leaves: readonly Hex32[];
  /** of the step k -> k + 1 at k */
  seen: readonly SeenStep[];
  /** sha-256 of theta after the last step of the task; null before that */
  resultRoot: Hex32 | null;
}

/** One word: for each step, in the order of the check, the first bytes of
 *  keccak256(roll | S_{k+1} | stateRoot | gradientRoot | u32be loss | u32be norm | resultRoot, or zeros before the last step).
 *  innerSteps: H.  throws RangeError for a step that was not made */
export function answersOf(roll: Hex32, steps: readonly number[], made: Made, innerSteps: number): Hex32 {
  const heads = steps.map((step) => {
    const [leaf, seen] = [made.leaves[step + 1], made.seen[step]];
    const resultRoot = step + 1 === innerSteps ? made.resultRoot : zero32;
    if (leaf === undefined || seen === undefined || resultRoot === null) {
      throw new RangeError(`step ${step} was not made, ${made.seen.length} were`);
    }
    const measures = Buffer.alloc(8);
    measures.writeUInt32BE(fp32Bits(seen.loss), 0);
    measures.writeUInt32BE(fp32Bits(seen.gradientNorm), 4);
    const words = [roll, leaf, seen.stateRoot, seen.gradientRoot].map(bytesOf);
    const answer = keccak(Buffer.concat([...words, measures, bytesOf(resultRoot)]));
    return answer.slice(2, 2 + 2 * answerBytes);
  });
  return `0x${heads.join('').padEnd(64, '0')}`;
}

/** What a solver shows on chain of each step that it is asked about: the leaf behind it and its place in the trace.
 *  made: all steps of the task */
export function openingsOf(opset: Opset, steps: readonly number[], made: Made) {
  return steps.map((step) => {
    const seen = made.seen[step];
    if (seen === undefined) throw new RangeError(`step ${step} was not made, ${made.seen.length} were`);
    return { content: leafContent(opset, seen), proof: traceProof(made.leaves, step + 1) };
  });
}

/** What a leaf of a trace is made of, as TraceLeaf.Content takes it. */
function leafContent(opset: Opset, { stateRoot, ...transition }: SeenStep) {
  const { gradientRoot, batchDigest, scalars, loss, gradientNorm } = transition;
  const opsetHash: Hex32 = `0x${createHash('sha256').update(opset, 'ascii').digest('hex')}`;
  const measures = { loss: fp32Bits(loss), gradientNorm: fp32Bits(gradientNorm) };
  return { opsetHash, stateRoot, gradientRoot, batchDigest, ...scalars, ...measures };
}

/** HMAC-SHA256 over the task: nothing to store.  secret: 32 bytes of the checker alone */
export function checkSalt(secret: Uint8Array, audit: Address, taskId: Hex32): Hex32 {
  const hmac = createHmac('sha256', secret).update(`panthalia.check.v1 ${audit.toLowerCase()} ${taskId}`);
  return `0x${hmac.digest('hex')}`;
}

/** What a checker puts on chain before the solver answers. */
export function checkCommitment(
  at: { chainId: number; audit: Address; taskId: Hex32; checker: Address },
  answers: Hex32,
  salt: Hex32,
): Hex32 {
  const { chainId, audit, taskId, checker } = at;
  return keccakWords(checkTypeHash, chainId, audit, taskId, checker, answers, salt);
}

function bytesOf(hex: Hex32): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex');
}

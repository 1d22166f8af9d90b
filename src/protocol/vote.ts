/** Votes: what a verifier commits to, and the salt that only it can derive again. Twin: contracts/libraries/VoteHash.sol */
import { createHmac } from 'node:crypto';
import { keccak, keccakWords } from './abiWords.js';
import type { Verdict } from './facts.js';
import { fp32Bits } from './spec.js';
import type { Address, Hex32 } from './task.js';

const voteTypeHash = keccak(
  Buffer.from(
    'PanthaliaVote(uint256 chainId,address court,bytes32 caseId,uint16 round,uint8 seat,address voter,uint8 verdict,bytes32 answer,bytes32 salt)',
    'ascii',
  ),
);

/** As in ICourt.sol. */
export const verdictCodes = { valid: 1, invalid: 2, unavailable: 3 } as const satisfies Record<
  Verdict,
  number
>;

/** One seat of one panel. */
export interface SeatRef {
  caseId: Hex32;
  /** from 1 */
  round: number;
  /** from 0 */
  seat: number;
}

export interface Ballot {
  verdict: Verdict;
  /** attention digest: a verdict without the work has the wrong one */
  answer: Hex32;
}

/** What only a re-execution of the step shows. */
export interface Attention {
  /** of the state after the step */
  stateRoot: Hex32;
  gradientRoot: Hex32;
  /** values of fp32, as in the trace */
  loss: number;
  gradientNorm: number;
}

/** keccak256(seed | stateRoot | gradientRoot | u32be loss | u32be norm): the trace holds these only under a hash, and the seed was
 *  not known when it was made.  seed: that the panel was drawn with */
export function attentionDigest(seed: Hex32, seen: Attention): Hex32 {
  const measures = Buffer.alloc(8);
  measures.writeUInt32BE(fp32Bits(seen.loss), 0);
  measures.writeUInt32BE(fp32Bits(seen.gradientNorm), 4);
  const roots = [seed, seen.stateRoot, seen.gradientRoot].map((hex) => Buffer.from(hex.slice(2), 'hex'));
  return keccak(Buffer.concat([...roots, measures]));
}

/** HMAC-SHA256 over the seat: nothing to store, never the same twice.  secret: 32 bytes of the voter alone */
export function voteSalt(secret: Uint8Array, court: Address, { caseId, round, seat }: SeatRef): Hex32 {
  const hmac = createHmac('sha256', secret).update(`panthalia.vote.v1 ${court.toLowerCase()} `);
  return `0x${hmac.update(`${caseId} ${round} ${seat}`).digest('hex')}`;
}

/** The commitment that the court checks an opening against. */
export function voteCommitment(
  at: SeatRef & { chainId: number; court: Address; voter: Address },
  ballot: Ballot,
  salt: Hex32,
): Hex32 {
  return keccakWords(
    voteTypeHash,
    at.chainId,
    at.court,
    at.caseId,
    at.round,
    at.seat,
    at.voter,
    verdictCodes[ballot.verdict],
    ballot.answer,
    salt,
  );
}

/** Votes: what a verifier commits to, and the salt that only it can derive again. Twin: contracts/libraries/VoteHash.sol */
import { createHmac } from 'node:crypto';
import { keccak, keccakWords } from './abiWords.js';
import type { Verdict } from './facts.js';
import type { Address, Hex32, Submission } from './task.js';

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
  /** what the verifier computed: a copied verdict without the work has the wrong one */
  answer: Hex32;
}

/** keccak(traceRoot | resultRoot) of the verifier's own recomputation. */
export function voteAnswer(computed: Pick<Submission, 'traceRoot' | 'resultRoot'>): Hex32 {
  return keccakWords(computed.traceRoot, computed.resultRoot);
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

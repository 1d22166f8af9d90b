/** Votes: what a verifier commits to, and the salt that only it can derive again. Twin: contracts/libraries/VoteHash.sol */
import { createHmac } from 'node:crypto';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Verdict } from './facts.js';
import type { Address, Hex32, Submission } from './task.js';

const voteType =
  'PanthaliaVote(uint256 chainId,address court,bytes32 caseId,uint16 round,uint8 seat,address voter,uint8 verdict,bytes32 answer,bytes32 salt)';

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
  return keccak(Buffer.concat([bytes(computed.traceRoot), bytes(computed.resultRoot)]));
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
  const words = [
    Buffer.from(keccak_256(Buffer.from(voteType, 'ascii'))),
    uint(at.chainId),
    bytes(at.court),
    bytes(at.caseId),
    uint(at.round),
    uint(at.seat),
    bytes(at.voter),
    uint(verdictCodes[ballot.verdict]),
    bytes(ballot.answer),
    bytes(salt),
  ];
  return keccak(Buffer.concat(words.map(word)));
}

/** abi.encode of a static value: 32 bytes, zeros on the left. */
function word(value: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(32 - value.length), value]);
}

function uint(value: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64BE(BigInt(value));
  return encoded;
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex.slice(2), 'hex');
}

function keccak(input: Uint8Array): Hex32 {
  return `0x${Buffer.from(keccak_256(input)).toString('hex')}`;
}

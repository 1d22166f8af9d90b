// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../interfaces/ICourt.sol";

/// @notice The commitment to a vote. It names everything it is about, so a copy of it is worth nothing to any
/// other voter, seat, round, case, court or chain.
library VoteHash {
    bytes32 internal constant TYPEHASH = keccak256(
        "PanthaliaVote(uint256 chainId,address court,bytes32 caseId,uint16 round,uint8 seat,address voter,uint8 verdict,bytes32 answer,bytes32 salt)"
    );

    function hash(
        address court,
        bytes32 caseId,
        uint16 round,
        uint8 seat,
        address voter,
        Verdict verdict,
        bytes32 answer,
        bytes32 salt
    ) internal view returns (bytes32) {
        return keccak256(
            abi.encode(TYPEHASH, block.chainid, court, caseId, round, seat, voter, verdict, answer, salt)
        );
    }
}

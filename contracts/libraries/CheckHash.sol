// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {TraceLeaf} from "./TraceLeaf.sol";

/// @notice The answers to a check, and the commitment to them.
///
/// Answers are one word, 8 bytes for each checked step k -> k + 1 from the left, the first of
///
///   keccak256(roll | S_(k+1) | stateRoot | gradientRoot | u32be loss | u32be gradientNorm | k + 1 = H ? resultRoot : 0)
///
/// S_(k+1) binds the rest of what it is made of; that can be looked up, what follows it only computed.
/// Twin: src/protocol/check.ts
library CheckHash {
    uint256 internal constant MOST_STEPS = 4;
    uint256 private constant ANSWER_BITS = 64;
    bytes32 private constant HEAD = bytes32(type(uint256).max << 192);

    bytes32 internal constant TYPEHASH = keccak256(
        "PanthaliaCheck(uint256 chainId,address audit,bytes32 taskId,address checker,bytes32 answers,bytes32 salt)"
    );

    /// @notice It names everything it is about, so a copy of it is worth nothing to anybody else.
    function hash(address audit, bytes32 taskId, address checker, bytes32 answers, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(TYPEHASH, block.chainid, audit, taskId, checker, answers, salt));
    }

    /// @param leaf S_(k+1)
    /// @param content what it is made of
    /// @param resultRoot of a last step, else 0
    function answer(bytes32 roll, bytes32 leaf, TraceLeaf.Content memory content, bytes32 resultRoot)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(
                roll,
                leaf,
                content.stateRoot,
                content.gradientRoot,
                content.loss,
                content.gradientNorm,
                resultRoot
            )
        );
    }

    /// @notice The word with the first bytes of `value` in the place of answer `index`, which was empty.
    function put(bytes32 answers, uint256 index, bytes32 value) internal pure returns (bytes32) {
        return answers | (value & HEAD) >> (ANSWER_BITS * index);
    }

    /// @return those bytes of a word of answers that belong to a step
    function trim(bytes32 answers, uint256 steps) internal pure returns (bytes32) {
        return answers & ~bytes32(type(uint256).max >> (ANSWER_BITS * steps));
    }
}

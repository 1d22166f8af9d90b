// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice What the state hash S_k of a trace is made of, k > 0: the state, and what the step to it did and measured.
///
///   S_k = SHA256(0x03 | taskId | opsetHash | u32be k | stateRoot | gradientRoot | batchDigest |
///                u32be stepSize | u32be secondMomentScale | u32be decay | u32be loss | u32be gradientNorm)
///
/// Twin: src/protocol/trace.ts, on tests/fixtures/trace.json.
library TraceLeaf {
    struct Content {
        /// SHA256 of the name of the opset
        bytes32 opsetHash;
        /// of the state after the step
        bytes32 stateRoot;
        bytes32 gradientRoot;
        bytes32 batchDigest;
        // scalars of AdamW and measures of the step, each the bits of an fp32
        uint32 stepSize;
        uint32 secondMomentScale;
        uint32 decay;
        uint32 loss;
        uint32 gradientNorm;
    }

    /// @param index k
    function hash(bytes32 taskId, uint32 index, Content memory content) internal pure returns (bytes32) {
        return sha256(
            abi.encodePacked(
                abi.encodePacked(
                    bytes1(0x03),
                    taskId,
                    content.opsetHash,
                    index,
                    content.stateRoot,
                    content.gradientRoot,
                    content.batchDigest
                ),
                content.stepSize,
                content.secondMomentScale,
                content.decay,
                content.loss,
                content.gradientNorm
            )
        );
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {MerkleTreeLib} from "solady/utils/MerkleTreeLib.sol";

/// @notice The chain of a job's outer steps.
///
///   leaf             = keccak256(abi.encode(slot, taskId, resultRoot))
///   contributionRoot = Merkle root over the leaves in the order of their slots, pairs sorted
///   chainHash(-1)    = keccak256(abi.encode(chain id, registry, buyer, subnetId, jobId, base root of round 0))
///   chainHash(t)     = keccak256(abi.encode(chainHash(t - 1), t, stateRoot, contributionRoot))
///
/// A leaf hashes three words and a node two, so neither passes for the other. Twin: src/protocol/outerSteps.ts
library OuterSteps {
    function leafOf(uint8 slot, bytes32 taskId, bytes32 resultRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(slot, taskId, resultRoot));
    }

    /// @param leaves at least one
    function rootOf(bytes32[] memory leaves) internal pure returns (bytes32) {
        return MerkleTreeLib.root(MerkleTreeLib.build(leaves));
    }

    function beginning(address registry, address buyer, uint32 subnetId, bytes32 jobId, bytes32 baseRoot)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(block.chainid, registry, buyer, subnetId, jobId, baseRoot));
    }

    function next(bytes32 previous, uint32 round, bytes32 stateRoot, bytes32 contributionRoot)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(previous, round, stateRoot, contributionRoot));
    }
}

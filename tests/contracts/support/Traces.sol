// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Pin} from "../../../contracts/interfaces/IStepChallenge.sol";

/// @dev What a solver commits to, and a proof of two of its states.
abstract contract Traces {
    uint32 internal constant INNER_STEPS = 64;
    uint256 internal constant TRACE_DEPTH = 7;
    /// over stateAt(0) .. stateAt(INNER_STEPS)
    bytes32 internal immutable TRACE_ROOT = traceNodes(leavesOfTheTrace())[1];
    bytes32 internal constant RESULT_ROOT = keccak256("result");
    bytes32 internal constant LEAVES_BLOB = keccak256("leaves");

    function stateAt(uint32 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("state", index));
    }

    function leavesOfTheTrace() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](INNER_STEPS + 1);
        for (uint32 i = 0; i <= INNER_STEPS; ++i) {
            leaves[i] = stateAt(i);
        }
    }

    /// @dev As in a heap: the root at 1, the children of n at 2n and 2n + 1, the leaves in the second half.
    function traceNodes(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 width = 2 ** TRACE_DEPTH;
        nodes = new bytes32[](2 * width);
        for (uint32 i = 0; i <= INNER_STEPS; ++i) {
            nodes[width + i] = keccak256(abi.encodePacked(bytes1(0x00), i, leaves[i]));
        }
        for (uint256 n = width - 1; n > 0; --n) {
            nodes[n] = keccak256(abi.encodePacked(bytes1(0x01), nodes[2 * n], nodes[2 * n + 1]));
        }
    }

    function pinOf(uint32 step, bytes32 salt) internal pure returns (Pin memory) {
        return pinOf(leavesOfTheTrace(), step, salt);
    }

    function pinOf(bytes32[] memory leaves, uint32 step, bytes32 salt) internal pure returns (Pin memory) {
        bytes32[] memory nodes = traceNodes(leaves);
        bytes32[] memory siblings = new bytes32[](2 * TRACE_DEPTH);
        uint256 count = 0;
        uint256 place = nodes.length / 2 + step;
        for (; place % 2 == 1; place /= 2) {
            siblings[count++] = nodes[place - 1];
            siblings[count++] = nodes[place + 2];
        }
        for (place /= 2; place > 1; place /= 2) {
            siblings[count++] = nodes[place ^ 1];
        }
        assembly ("memory-safe") {
            mstore(siblings, count)
        }
        return Pin(step, leaves[step], leaves[step + 1], siblings, 0, salt);
    }
}

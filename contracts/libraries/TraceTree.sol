// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {LibBit} from "solady/utils/LibBit.sol";

/// @notice Whether a hash is one of those that a solver committed to when it submitted its trace S_0 .. S_H.
///
///   leaf i = keccak256(0x00 | u32be i | S_i)
///   node   = keccak256(0x01 | left | right), padded with zero hashes to a power of two
///
/// The prefixes and the depth, which follows from H, keep a node from passing for a leaf; the index in the leaf
/// keeps one from standing in two places. Twin: src/protocol/trace.ts, on tests/fixtures/trace.json.
library TraceTree {
    error IndexBeyondTrace(uint256 index, uint256 innerSteps);
    error WrongTraceProofLength(uint256 received, uint256 expected);
    error NotInTrace(uint256 index, bytes32 root, bytes32 expectedRoot);

    /// @notice Revert unless `value` is S_index of the trace with this root.
    /// @param innerSteps H, from the task
    /// @param proof siblings from the leaf up, `depth(innerSteps)` of them
    function verify(
        bytes32 expectedRoot,
        uint32 innerSteps,
        uint32 index,
        bytes32 value,
        bytes32[] calldata proof
    ) internal pure {
        require(index <= innerSteps, IndexBeyondTrace(index, innerSteps));
        uint256 levels = depth(innerSteps);
        require(proof.length == levels, WrongTraceProofLength(proof.length, levels));
        bytes32 root = _leaf(index, value);
        for (uint256 level = 0; level < levels; ++level) {
            bool isRight = (index >> level) & 1 == 1;
            bytes32 sibling = proof[level];
            root = isRight ? _node(sibling, root) : _node(root, sibling);
        }
        require(root == expectedRoot, NotInTrace(index, root, expectedRoot));
    }

    /// @notice Revert unless `value` and `next` are S_index and S_(index + 1) of the trace with this root.
    /// @param siblings from the leaves up: of the left and of the right one while their paths are apart, then of the one
    /// node above both; none where the two are each other's
    function verifyPair(
        bytes32 expectedRoot,
        uint32 innerSteps,
        uint32 index,
        bytes32 value,
        bytes32 next,
        bytes32[] calldata siblings
    ) internal pure {
        require(index < innerSteps, IndexBeyondTrace(uint256(index) + 1, innerSteps));
        uint256 place = index;
        bytes32 root = _leaf(index, value);
        bytes32 right = _leaf(index + 1, next);
        uint256 used = 0;
        uint256 levels = depth(innerSteps);
        uint256 expected = levels + LibBit.ffs(~place) - 1;
        require(siblings.length == expected, WrongTraceProofLength(siblings.length, expected));
        for (; place & 1 == 1; place >>= 1) {
            root = _node(_at(siblings, used), root);
            right = _node(right, _at(siblings, used + 1));
            used += 2;
        }
        root = _node(root, right);
        for (; used < expected; ++used) {
            place >>= 1;
            bytes32 sibling = _at(siblings, used);
            root = place & 1 == 1 ? _node(sibling, root) : _node(root, sibling);
        }
        require(root == expectedRoot, NotInTrace(index, root, expectedRoot));
    }

    /// @notice The root over S_0 .. S_H.
    function rootOf(bytes32[] calldata leaves) internal pure returns (bytes32) {
        // forge-lint: disable-next-line(incorrect-shift)
        uint256 width = 1 << depth(uint32(leaves.length - 1));
        bytes32[] memory nodes = new bytes32[](width);
        for (uint256 i = 0; i < leaves.length; ++i) {
            nodes[i] = _leaf(i, leaves[i]);
        }
        for (; width > 1; width /= 2) {
            for (uint256 i = 0; i < width; i += 2) {
                nodes[i / 2] = _node(nodes[i], nodes[i + 1]);
            }
        }
        return nodes[0];
    }

    /// @notice Siblings that prove one of H + 1 leaves.
    function depth(uint32 innerSteps) internal pure returns (uint256) {
        return innerSteps == 0 ? 0 : LibBit.fls(innerSteps) + 1;
    }

    /// @dev Without a look at the length, which is known: two siblings for each low bit that is one, one for each level above.
    function _at(bytes32[] calldata siblings, uint256 index) private pure returns (bytes32 sibling) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            sibling := calldataload(add(siblings.offset, shl(5, index)))
        }
    }

    /// @dev Assembly hashes packed words without another copy of them, here and in `_node`.
    function _leaf(uint256 index, bytes32 value) private pure returns (bytes32 hash) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, shl(216, index)) // 0x00 | u32be index
            mstore(add(buffer, 5), value)
            hash := keccak256(buffer, 37)
        }
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32 hash) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            mstore(add(buffer, 1), left)
            mstore(add(buffer, 33), right)
            hash := keccak256(buffer, 65)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

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
        bytes32 root = keccak256(abi.encodePacked(bytes1(0x00), index, value));
        for (uint256 level = 0; level < levels; ++level) {
            bool isRight = (index >> level) & 1 == 1;
            bytes32 sibling = proof[level];
            root = isRight ? _node(sibling, root) : _node(root, sibling);
        }
        require(root == expectedRoot, NotInTrace(index, root, expectedRoot));
    }

    /// @notice Siblings that prove one of H + 1 leaves.
    function depth(uint32 innerSteps) internal pure returns (uint256 levels) {
        while (innerSteps >> levels != 0) ++levels;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), left, right));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @notice Whether values belong to a state of training: 1,024 parameters at a time, and theta, m or v of a state.
///
///   chunk(t, j) = SHA256(0x00 | u32le t | u32le j | up to 1,024 fp32, little endian)
///   node        = SHA256(0x01 | left | right), pairs from the left, an odd last node goes up unchanged
///   tensorRoot  = tree over the chunks of a tensor
///   groupRoot   = tree over the tensor roots
///   stateRoot   = SHA256(0x02 | thetaRoot | mRoot | vRoot)
///
/// Twins: src/protocol/stateTree.ts, native/engine/state_tree.cc, on tests/fixtures/stateTree.json.
library StateTree {
    uint256 internal constant CHUNK_FLOATS = 1_024;

    enum Group {
        Theta,
        M,
        V
    }

    /// @dev Which chunk, and the shape of the tree it is in. `tensors` and `floats` follow from the model, which the
    /// job fixes: they are not the prover's to choose.
    struct ChunkPlace {
        uint32 tensor;
        uint32 chunk;
        uint32 tensors; // of the model
        uint64 floats; // of this tensor
    }

    error TensorBeyondModel(uint256 tensor, uint256 tensors);
    error ChunkBeyondTensor(uint256 chunk, uint256 chunks);
    error WrongChunkSize(uint256 received, uint256 expected);
    error WrongStateProofLength(uint256 received, uint256 expected);
    error NotInGroup(uint256 tensor, uint256 chunk, bytes32 root, bytes32 expectedRoot);
    error NotInState(Group group, bytes32 root, bytes32 expectedRoot);

    /// @notice Revert unless `data` is this chunk of the group (theta, m, v or a gradient) with this root.
    /// @param data fp32, little endian; 4,096 bytes but for the last chunk of a tensor
    /// @param proof siblings from the chunk up to its tensor's root, and from there up to the group's
    function verifyChunk(
        bytes32 expectedRoot,
        ChunkPlace memory place,
        bytes calldata data,
        bytes32[] calldata proof
    ) internal pure {
        uint256 chunks = _checkPlace(place, data.length);
        uint256 inTensor = _siblings(place.chunk, chunks);
        uint256 expected = inTensor + _siblings(place.tensor, place.tensors);
        require(proof.length == expected, WrongStateProofLength(proof.length, expected));

        bytes32 root = sha256(
            abi.encodePacked(bytes1(0x00), _littleEndian(place.tensor), _littleEndian(place.chunk), data)
        );
        root = _climb(root, place.chunk, chunks, proof[:inTensor]);
        root = _climb(root, place.tensor, place.tensors, proof[inTensor:]);
        require(root == expectedRoot, NotInGroup(place.tensor, place.chunk, root, expectedRoot));
    }

    /// @notice Revert unless `groupRoot` is that of this group in the state with this root.
    /// @param others the roots of the two other groups, in the order of `Group`
    function verifyGroup(bytes32 expectedRoot, Group group, bytes32 groupRoot, bytes32[2] memory others)
        internal
        pure
    {
        bytes32 theta = group == Group.Theta ? groupRoot : others[0];
        bytes32 m = group == Group.M ? groupRoot : others[group == Group.Theta ? 0 : 1];
        bytes32 v = group == Group.V ? groupRoot : others[1];
        bytes32 root = sha256(abi.encodePacked(bytes1(0x02), theta, m, v));
        require(root == expectedRoot, NotInState(group, root, expectedRoot));
    }

    function _checkPlace(ChunkPlace memory place, uint256 received) private pure returns (uint256 chunks) {
        require(place.tensor < place.tensors, TensorBeyondModel(place.tensor, place.tensors));
        chunks = (uint256(place.floats) + CHUNK_FLOATS - 1) / CHUNK_FLOATS;
        require(place.chunk < chunks, ChunkBeyondTensor(place.chunk, chunks));
        uint256 left = place.floats - CHUNK_FLOATS * place.chunk;
        uint256 expected = 4 * (left < CHUNK_FLOATS ? left : CHUNK_FLOATS);
        require(received == expected, WrongChunkSize(received, expected));
    }

    /// @dev From node `index` of a level of `count` to the root of that tree.
    function _climb(bytes32 node, uint256 index, uint256 count, bytes32[] calldata siblings)
        private
        pure
        returns (bytes32)
    {
        uint256 next = 0;
        for (; count > 1; count = (count + 1) / 2) {
            if ((index ^ 1) < count) {
                bytes32 sibling = siblings[next++];
                node = (index & 1) == 1 ? _node(sibling, node) : _node(node, sibling);
            }
            index >>= 1;
        }
        return node;
    }

    /// @dev Siblings on the way up: one a level, none where the node is an odd last one.
    function _siblings(uint256 index, uint256 count) private pure returns (uint256 siblings) {
        for (; count > 1; count = (count + 1) / 2) {
            if ((index ^ 1) < count) ++siblings;
            index >>= 1;
        }
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function _littleEndian(uint32 value) private pure returns (uint32) {
        value = ((value & 0x00ff00ff) << 8) | ((value >> 8) & 0x00ff00ff);
        return (value << 16) | (value >> 16);
    }
}

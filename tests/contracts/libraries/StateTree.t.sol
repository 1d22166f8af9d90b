// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {StateTree} from "../../../contracts/libraries/StateTree.sol";
import {Test} from "../support/Vm.sol";

/// @dev The states of tests/fixtures/stateTree.json, which the tests of TypeScript and C++ read too.
contract StateTreeTest is Test {
    uint256 internal constant CASES = 2;
    uint256 internal constant PROOFS = 5;

    struct Proof {
        bytes32 root;
        StateTree.ChunkPlace place;
        bytes data;
        bytes32[] siblings;
    }

    string private _json;

    function setUp() public {
        _json = vm.readFile("tests/fixtures/stateTree.json");
    }

    function test_opensTheChunksOfTheSharedFixture() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            for (uint256 j = 0; j < PROOFS; ++j) {
                Proof memory proof = _proof(i, j);
                this.verifyChunk(proof.root, proof.place, proof.data, proof.siblings);
            }
        }
    }

    function test_opensTheGroupsOfTheSharedFixture() public view {
        for (uint256 i = 0; i < CASES; ++i) {
            (bytes32 root, bytes32[] memory groups) = _state(i);
            this.verifyGroup(root, StateTree.Group.Theta, groups[0], [groups[1], groups[2]]);
            this.verifyGroup(root, StateTree.Group.M, groups[1], [groups[0], groups[2]]);
            this.verifyGroup(root, StateTree.Group.V, groups[2], [groups[0], groups[1]]);
        }
    }

    function test_refusesAGroupInPlaceOfAnother() public {
        (bytes32 root, bytes32[] memory groups) = _state(0);
        for (uint256 group = 0; group < 3; ++group) {
            for (uint256 other = 0; other < 3; ++other) {
                if (other == group) continue;
                bytes32 left = groups[other == 0 ? 1 : 0];
                bytes32 right = groups[other == 2 ? 1 : 2];
                vm.expectPartialRevert(StateTree.NotInState.selector);
                this.verifyGroup(root, StateTree.Group(group), groups[other], [left, right]);
            }
        }
    }

    /// @dev Neither another bit, nor another place with the same shape of proof.
    function test_refusesWhatIsNotInTheGroup() public {
        for (uint256 i = 0; i < CASES; ++i) {
            for (uint256 j = 0; j < PROOFS; ++j) {
                Proof memory proof = _proof(i, j);
                proof.data[proof.data.length - 1] ^= 0x01;
                _refuse(proof);
                proof.data[proof.data.length - 1] ^= 0x01;
                for (uint256 k = 0; k < proof.siblings.length; ++k) {
                    proof.siblings[k] ^= bytes32(uint256(1) << 255);
                    _refuse(proof);
                    proof.siblings[k] ^= bytes32(uint256(1) << 255);
                }
                proof.root = keccak256("other");
                _refuse(proof);
            }
        }
        Proof memory moved = _proof(0, 0); // chunk 0 of 3, whose sibling is chunk 1
        moved.place.chunk = 1;
        _refuse(moved);
        moved = _proof(0, 2); // tensor 2 of 15, whose sibling is tensor 3
        moved.place.tensor = 3;
        _refuse(moved);
    }

    function test_refusesAPlaceThatTheModelDoesNotHave() public {
        Proof memory proof = _proof(0, 0);
        proof.place.chunk = 3;
        _expect(proof, abi.encodeWithSelector(StateTree.ChunkBeyondTensor.selector, 3, 3));
        proof.place.chunk = type(uint32).max;
        _expect(proof, abi.encodeWithSelector(StateTree.ChunkBeyondTensor.selector, type(uint32).max, 3));
        proof.place.tensor = 15;
        _expect(proof, abi.encodeWithSelector(StateTree.TensorBeyondModel.selector, 15, 15));
        proof = _proof(0, 0);
        proof.place.floats = 0;
        _expect(proof, abi.encodeWithSelector(StateTree.ChunkBeyondTensor.selector, 0, 0));
    }

    function test_refusesAChunkOfAnotherSize() public {
        Proof memory proof = _proof(0, 0);
        proof.data = new bytes(4_092);
        _expect(proof, abi.encodeWithSelector(StateTree.WrongChunkSize.selector, 4_092, 4_096));
        proof = _proof(0, 1); // the last of a tensor: 2,080 - 2,048 floats
        proof.data = new bytes(4_096);
        _expect(proof, abi.encodeWithSelector(StateTree.WrongChunkSize.selector, 4_096, 128));
    }

    function test_refusesAProofOfAnotherLength() public {
        Proof memory proof = _proof(0, 0);
        proof.siblings = new bytes32[](proof.siblings.length + 1);
        _expect(proof, abi.encodeWithSelector(StateTree.WrongStateProofLength.selector, 7, 6));
        proof.siblings = new bytes32[](5);
        _expect(proof, abi.encodeWithSelector(StateTree.WrongStateProofLength.selector, 5, 6));
    }

    function test_saysWhichRootAProofLeadsTo() public {
        Proof memory proof;
        proof.place = StateTree.ChunkPlace({tensor: 0, chunk: 0, tensors: 1, floats: 1});
        proof.data = hex"0000803f";
        proof.root = keccak256("other");
        bytes32 root = sha256(abi.encodePacked(bytes1(0x00), uint64(0), proof.data));
        _expect(proof, abi.encodeWithSelector(StateTree.NotInGroup.selector, 0, 0, root, proof.root));

        root = sha256(abi.encodePacked(bytes1(0x02), bytes32("theta"), bytes32("m"), bytes32("v")));
        vm.expectRevert(
            abi.encodeWithSelector(StateTree.NotInState.selector, StateTree.Group.M, root, proof.root)
        );
        this.verifyGroup(proof.root, StateTree.Group.M, "m", [bytes32("theta"), "v"]);
    }

    /// @dev 64 bytes are two hashes and sixteen floats: as floats they hash to something else.
    function test_refusesANodeInPlaceOfAChunk() public {
        Proof memory proof;
        proof.place = StateTree.ChunkPlace({tensor: 0, chunk: 0, tensors: 1, floats: 16});
        proof.data = abi.encodePacked(keccak256("left"), keccak256("right"));
        proof.root = sha256(abi.encodePacked(bytes1(0x01), proof.data));
        proof.siblings = new bytes32[](0);
        _refuse(proof);
        proof.root = sha256(abi.encodePacked(bytes1(0x00), uint64(0), proof.data));
        this.verifyChunk(proof.root, proof.place, proof.data, proof.siblings);
    }

    /// @dev A place whose numbers fill four bytes each; its leaf is spelt out, the way up goes by any siblings.
    function test_placesAreLittleEndian() public {
        Proof memory proof = Proof({
            root: 0,
            place: StateTree.ChunkPlace(0x01020304, 0x05060708, 0x01020310, 0x05060711 * 1_024),
            data: new bytes(4_096),
            siblings: new bytes32[](64)
        });
        bytes32 node = sha256(abi.encodePacked(hex"000403020108070605", proof.data));
        uint256 used = 0;
        (node, used) = _upAnyWay(node, proof.place.chunk, 0x05060711, proof.siblings, used);
        (node, used) = _upAnyWay(node, proof.place.tensor, 0x01020310, proof.siblings, used);
        bytes32[] memory siblings = proof.siblings;
        assembly ("memory-safe") {
            mstore(siblings, used)
        }
        proof.root = node;
        this.verifyChunk(proof.root, proof.place, proof.data, siblings);
        proof.place.tensor = 0x01020305; // its neighbour
        _refuse(proof);
    }

    function _upAnyWay(bytes32 node, uint256 index, uint256 count, bytes32[] memory siblings, uint256 used)
        private
        pure
        returns (bytes32, uint256)
    {
        for (; count > 1; (index, count) = (index / 2, (count + 1) / 2)) {
            bool isRight = index % 2 == 1;
            if (!isRight && index + 1 == count) continue;
            bytes32 sibling = keccak256(abi.encode(used));
            siblings[used++] = sibling;
            node = isRight
                ? sha256(abi.encodePacked(bytes1(0x01), sibling, node))
                : sha256(abi.encodePacked(bytes1(0x01), node, sibling));
        }
        return (node, used);
    }

    /// @dev Against trees built the plain way over a model of `tensors` tensors with up to five chunks each.
    function testFuzz_opensEveryChunkOfAnyModel(uint256 seed) public {
        uint32 tensors = uint32(between(seed, 1, 9));
        bytes32[] memory roots = new bytes32[](tensors);
        for (uint32 tensor = 0; tensor < tensors; ++tensor) {
            (roots[tensor],) = _plainTree(_leavesOf(seed, tensor), 0);
        }
        uint32 chosen = uint32((seed >> 128) % tensors);
        (bytes32 root, bytes32[] memory upper) = _plainTree(roots, chosen);
        bytes32[] memory leaves = _leavesOf(seed, chosen);
        for (uint32 chunk = 0; chunk < leaves.length; ++chunk) {
            (, bytes32[] memory lower) = _plainTree(leaves, chunk);
            Proof memory proof = Proof({
                root: root,
                place: StateTree.ChunkPlace(chosen, chunk, tensors, _floatsOf(seed, chosen)),
                data: _dataOf(seed, chosen, chunk),
                siblings: new bytes32[](lower.length + upper.length)
            });
            for (uint256 i = 0; i < proof.siblings.length; ++i) {
                proof.siblings[i] = i < lower.length ? lower[i] : upper[i - lower.length];
            }
            this.verifyChunk(proof.root, proof.place, proof.data, proof.siblings);
            proof.data[0] ^= 0x80;
            _refuse(proof);
        }
    }

    /// @dev External, because data and proof are calldata.
    function verifyChunk(
        bytes32 root,
        StateTree.ChunkPlace calldata place,
        bytes calldata data,
        bytes32[] calldata proof
    ) external pure {
        StateTree.verifyChunk(root, place, data, proof);
    }

    function verifyGroup(bytes32 root, StateTree.Group group, bytes32 groupRoot, bytes32[2] calldata others)
        external
        pure
    {
        StateTree.verifyGroup(root, group, groupRoot, others);
    }

    function _refuse(Proof memory proof) private {
        vm.expectPartialRevert(StateTree.NotInGroup.selector);
        this.verifyChunk(proof.root, proof.place, proof.data, proof.siblings);
    }

    function _expect(Proof memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        this.verifyChunk(proof.root, proof.place, proof.data, proof.siblings);
    }

    function _state(uint256 i) private view returns (bytes32 root, bytes32[] memory groups) {
        string memory key = string.concat(".cases[", vm.toString(i), "]");
        root = vm.parseJsonBytes32(_json, string.concat(key, ".stateRoot"));
        groups = vm.parseJsonBytes32Array(_json, string.concat(key, ".groupRoots"));
    }

    function _proof(uint256 i, uint256 j) private view returns (Proof memory proof) {
        string memory key = string.concat(".cases[", vm.toString(i), "].proofs[", vm.toString(j), "]");
        uint256 group = _uint(key, ".group");
        (, bytes32[] memory groups) = _state(i);
        proof.root = groups[group];
        proof.place = StateTree.ChunkPlace({
            tensor: uint32(_uint(key, ".tensor")),
            chunk: uint32(_uint(key, ".chunk")),
            tensors: uint32(_uint(key, ".tensors")),
            floats: uint64(_uint(key, ".floats"))
        });
        uint256 first = _uint(key, ".offset") + 1_024 * proof.place.chunk;
        uint256 left = proof.place.floats - 1_024 * proof.place.chunk;
        proof.data = _chunk(group, first, left < 1_024 ? left : 1_024);
        proof.siblings = vm.parseJsonBytes32Array(_json, string.concat(key, ".siblings"));
    }

    function _uint(string memory key, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(_json, string.concat(key, field));
    }

    /// @dev value(group, i) of the fixture as fp32, little endian: a number of 13 bits over 64.
    function _chunk(uint256 group, uint256 first, uint256 count) private pure returns (bytes memory data) {
        data = new bytes(4 * count);
        for (uint256 k = 0; k < count; ++k) {
            uint256 folded = ((first + k) * 7_919 + group * 104_729) % 10_007;
            uint256 bits =
                _fp32OfSixtyFourths(folded < 5_000, folded < 5_000 ? 5_000 - folded : folded - 5_000);
            for (uint256 b = 0; b < 4; ++b) {
                data[4 * k + b] = bytes1(uint8(bits >> (8 * b)));
            }
        }
    }

    function _fp32OfSixtyFourths(bool negative, uint256 magnitude) private pure returns (uint256) {
        if (magnitude == 0) return 0;
        uint256 exponent = 0;
        while (magnitude >> (exponent + 1) != 0) ++exponent;
        uint256 mantissa = (magnitude << (23 - exponent)) & 0x7fffff;
        return (negative ? 1 << 31 : 0) | ((127 - 6 + exponent) << 23) | mantissa;
    }

    function _floatsOf(uint256 seed, uint32 tensor) private pure returns (uint64) {
        return uint64(between(uint256(keccak256(abi.encode(seed, tensor))), 1, 5_000));
    }

    function _dataOf(uint256 seed, uint32 tensor, uint32 chunk) private pure returns (bytes memory data) {
        uint256 left = _floatsOf(seed, tensor) - 1_024 * uint256(chunk);
        data = new bytes(4 * (left < 1_024 ? left : 1_024));
        data[0] = bytes1(uint8(tensor));
        data[data.length - 1] = bytes1(uint8(chunk));
    }

    function _leavesOf(uint256 seed, uint32 tensor) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((_floatsOf(seed, tensor) + 1_023) / 1_024);
        for (uint32 chunk = 0; chunk < leaves.length; ++chunk) {
            // below 256 a little-endian word is the number in its first byte
            leaves[chunk] = sha256(
                abi.encodePacked(
                    bytes1(0x00),
                    bytes1(uint8(tensor)),
                    bytes3(0),
                    bytes1(uint8(chunk)),
                    bytes3(0),
                    _dataOf(seed, tensor, chunk)
                )
            );
        }
    }

    /// @dev An odd last node goes up as it is.
    function _plainTree(bytes32[] memory leaves, uint256 index)
        private
        pure
        returns (bytes32 root, bytes32[] memory proof)
    {
        bytes32[] memory nodes = new bytes32[](leaves.length);
        bytes32[] memory siblings = new bytes32[](8);
        uint256 count = leaves.length;
        uint256 found = 0;
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = leaves[i];
        }
        for (; count > 1; count = (count + 1) / 2) {
            if (index % 2 == 1) siblings[found++] = nodes[index - 1];
            else if (index + 1 < count) siblings[found++] = nodes[index + 1];
            index /= 2;
            for (uint256 i = 0; 2 * i < count; ++i) {
                nodes[i] = 2 * i + 1 == count
                    ? nodes[2 * i]
                    : sha256(abi.encodePacked(bytes1(0x01), nodes[2 * i], nodes[2 * i + 1]));
            }
        }
        proof = new bytes32[](found);
        for (uint256 i = 0; i < found; ++i) {
            proof[i] = siblings[i];
        }
        return (nodes[0], proof);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {Test} from "../support/Vm.sol";

/// @dev The trace of tests/fixtures/trace.json, which the TypeScript tests read too: H = 5.
contract TraceTreeTest is Test {
    uint32 internal constant H = 5;

    string private _json;
    bytes32 private _root;
    bytes32[] private _leaves;

    function setUp() public {
        _json = vm.readFile("tests/fixtures/trace.json");
        _root = vm.parseJsonBytes32(_json, ".traceRoot");
        _leaves = vm.parseJsonBytes32Array(_json, ".leaves");
        vm.assertEq(_leaves.length, H + 1, "leaves");
    }

    function test_opensEveryLeafOfTheSharedFixture() public view {
        for (uint32 i = 0; i <= H; ++i) {
            this.verify(_root, H, i, _leaves[i], _proof(i));
        }
    }

    function test_opensNoOtherValueAtNoOtherPlaceOfNoOtherTrace() public {
        for (uint32 i = 0; i <= H; ++i) {
            _refuse(_root, i, _leaves[(i + 1) % 6], _proof(i));
            _refuse(_root, (i + 1) % 6, _leaves[i], _proof(i));
            _refuse(keccak256("other"), i, _leaves[i], _proof(i));
            for (uint256 level = 0; level < 3; ++level) {
                bytes32[] memory proof = _proof(i);
                proof[level] ^= bytes32(uint256(1));
                _refuse(_root, i, _leaves[i], proof);
            }
        }
    }

    function test_refusesAnIndexBeyondTheTrace() public {
        // The places of the padding, and the one that has the same lowest bits as leaf 0.
        for (uint32 i = H + 1; i <= 8; ++i) {
            vm.expectRevert(abi.encodeWithSelector(TraceTree.IndexBeyondTrace.selector, i, H));
            this.verify(_root, H, i, _leaves[0], _proof(0));
        }
    }

    function test_refusesAProofOfAnotherLength() public {
        for (uint256 length = 0; length <= 4; ++length) {
            if (length == 3) continue;
            vm.expectRevert(abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, length, 3));
            this.verify(_root, H, 0, _leaves[0], new bytes32[](length));
        }
    }

    function test_refusesANodeInPlaceOfALeaf() public {
        // The node over leaves 0 and 1 is a sibling in the proof of leaf 2; with its own siblings it leads to the root.
        bytes32 node = _proof(2)[1];
        bytes32[] memory rest = new bytes32[](2);
        (rest[0], rest[1]) = (_proof(0)[1], _proof(0)[2]);
        bytes32 right = keccak256(abi.encodePacked(bytes1(0x01), node, rest[0]));
        vm.assertEq(keccak256(abi.encodePacked(bytes1(0x01), right, rest[1])), _root, "the way up");

        vm.expectRevert(abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, 2, 3));
        this.verify(_root, H, 0, node, rest);
        // A task of two steps would have proofs of that length: the leaf's prefix refuses it there.
        vm.expectPartialRevert(TraceTree.NotInTrace.selector);
        this.verify(_root, 2, 0, node, rest);
    }

    function testFuzz_depthHoldsAllLeavesAndNotTwiceAsMany(uint32 innerSteps) public pure {
        uint256 leaves = 2 ** TraceTree.depth(innerSteps);
        vm.assertGe(leaves, uint256(innerSteps) + 1, "room for all");
        vm.assertLt(leaves, 2 * (uint256(innerSteps) + 1), "and no level too many");
    }

    /// @dev Against a tree that is built the plain way: all leaves in a list, pairs hashed until one is left.
    function testFuzz_opensEveryLeafOfAnyTraceAndNoOther(uint32 innerSteps, uint256 seed) public {
        innerSteps = uint32(between(innerSteps, 1, 40));
        bytes32[] memory values = new bytes32[](innerSteps + 1);
        for (uint32 i = 0; i <= innerSteps; ++i) {
            values[i] = keccak256(abi.encode(seed, i));
        }
        for (uint32 i = 0; i <= innerSteps; ++i) {
            (bytes32 root, bytes32[] memory proof) = _plainTree(values, i);
            this.verify(root, innerSteps, i, values[i], proof);
            uint32 other = uint32(between(seed, 0, innerSteps));
            if (other == i) continue;
            vm.expectPartialRevert(TraceTree.NotInTrace.selector);
            this.verify(root, innerSteps, other, values[i], proof);
            vm.expectPartialRevert(TraceTree.NotInTrace.selector);
            this.verify(root, innerSteps, i, values[other], proof);
        }
    }

    function test_saysWhichRootAProofLeadsTo() public {
        bytes32[] memory proof = _proof(0);
        bytes32 root = keccak256(abi.encodePacked(bytes1(0x00), uint32(0), bytes32("another")));
        for (uint256 level = 0; level < 3; ++level) {
            root = keccak256(abi.encodePacked(bytes1(0x01), root, proof[level]));
        }
        vm.expectRevert(abi.encodeWithSelector(TraceTree.NotInTrace.selector, 0, root, _root));
        this.verify(_root, H, 0, "another", proof);
    }

    function test_aTraceOfOneLeafIsItsOwnProof() public view {
        bytes32 root = keccak256(abi.encodePacked(bytes1(0x00), uint32(0), _leaves[0]));
        this.verify(root, 0, 0, _leaves[0], new bytes32[](0));
    }

    /// @dev External, because a proof is calldata.
    function verify(bytes32 root, uint32 innerSteps, uint32 index, bytes32 value, bytes32[] calldata proof)
        external
        pure
    {
        TraceTree.verify(root, innerSteps, index, value, proof);
    }

    function _refuse(bytes32 root, uint32 index, bytes32 value, bytes32[] memory proof) private {
        vm.expectPartialRevert(TraceTree.NotInTrace.selector);
        this.verify(root, H, index, value, proof);
    }

    function _proof(uint32 index) private view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(_json, string.concat(".proofs[", vm.toString(index), "]"));
    }

    function _plainTree(bytes32[] memory values, uint32 index)
        private
        pure
        returns (bytes32 root, bytes32[] memory proof)
    {
        uint256 width = 1;
        uint256 levels = 0;
        while (width < values.length) (width, levels) = (width * 2, levels + 1);
        bytes32[] memory nodes = new bytes32[](width);
        for (uint32 i = 0; i < values.length; ++i) {
            nodes[i] = keccak256(abi.encodePacked(bytes1(0x00), i, values[i]));
        }
        proof = new bytes32[](levels);
        for (uint256 level = 0; level < levels; ++level) {
            proof[level] = nodes[(index >> level) ^ 1];
            width /= 2;
            for (uint256 i = 0; i < width; ++i) {
                nodes[i] = keccak256(abi.encodePacked(bytes1(0x01), nodes[2 * i], nodes[2 * i + 1]));
            }
        }
        return (nodes[0], proof);
    }
}

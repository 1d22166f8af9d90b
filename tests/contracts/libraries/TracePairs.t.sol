// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {Test} from "../support/Vm.sol";

/// @dev verifyPair and rootOf against a tree built the plain way, as in a heap: the root at 1, the children of n at 2n
/// and 2n + 1, the leaves in the second half.
contract TracePairsTest is Test {
    /// @dev Of the market: the leaves of a longer trace fit into no transaction.
    uint32 internal constant LONGEST = 2_047;

    function test_everyPairOfEveryTraceUpToFortySteps() public view {
        for (uint32 innerSteps = 1; innerSteps <= 40; ++innerSteps) {
            bytes32[] memory values = _values(innerSteps, 1);
            bytes32[] memory heap = _heapOf(values);
            vm.assertEq(this.rootOf(values), heap[1], "root");
            for (uint32 index = 0; index < innerSteps; ++index) {
                this.verifyPair(heap[1], innerSteps, index, values, _siblings(heap, index));
            }
        }
    }

    function testFuzz_pairsOfLongTraces(uint32 innerSteps, uint256 seed) public view {
        innerSteps = uint32(between(innerSteps, 1, LONGEST));
        bytes32[] memory values = _values(innerSteps, seed);
        bytes32[] memory heap = _heapOf(values);
        vm.assertEq(this.rootOf(values), heap[1], "root");
        // any one, the two ends, and the one whose paths meet in the root only
        uint32[4] memory indices =
            [uint32(between(seed, 0, innerSteps - 1)), 0, innerSteps - 1, uint32(heap.length / 4) - 1];
        for (uint256 i = 0; i < 4; ++i) {
            this.verifyPair(heap[1], innerSteps, indices[i], values, _siblings(heap, indices[i]));
        }
    }

    function test_theRootOfOneLeafIsItsHash() public view {
        bytes32[] memory values = new bytes32[](1);
        values[0] = "only";
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0x00), uint32(0), bytes32("only")));
        vm.assertEq(this.rootOf(values), hash, "root");
    }

    function testFuzz_anotherOrderHasAnotherRoot(uint32 innerSteps, uint256 seed) public view {
        innerSteps = uint32(between(innerSteps, 1, 40));
        bytes32[] memory values = _values(innerSteps, seed);
        bytes32 root = this.rootOf(values);
        uint256 index = between(seed, 0, innerSteps - 1);
        (values[index], values[index + 1]) = (values[index + 1], values[index]);
        vm.assertNotEq(this.rootOf(values), root, "root of the leaves in another order");
    }

    function testFuzz_RevertWhen_anythingOfAPairIsAnother(uint32 innerSteps, uint256 seed) public {
        innerSteps = uint32(between(innerSteps, 2, LONGEST));
        bytes32[] memory values = _values(innerSteps, seed);
        bytes32[] memory heap = _heapOf(values);
        uint32 index = uint32(between(seed, 0, innerSteps - 1));
        bytes32[] memory siblings = _siblings(heap, index);

        (bytes32 value, bytes32 next) = (values[index], values[index + 1]);
        _refuse(heap[1], innerSteps, index, next, value, siblings); // the two the other way round
        _refuse(heap[1], innerSteps, index, ~value, next, siblings);
        _refuse(heap[1], innerSteps, index, value, ~next, siblings);
        _refuse(~heap[1], innerSteps, index, value, next, siblings);
        for (uint256 i = 0; i < siblings.length; ++i) {
            siblings[i] = ~siblings[i];
            _refuse(heap[1], innerSteps, index, value, next, siblings);
            siblings[i] = ~siblings[i];
        }
        // a place that asks for as many siblings, where there is one
        for (uint32 other = 0; other < innerSteps; ++other) {
            if (other == index || _siblings(heap, other).length != siblings.length) continue;
            _refuse(heap[1], innerSteps, other, value, next, siblings);
            break;
        }
    }

    function testFuzz_RevertWhen_aPairHasAnotherNumberOfSiblings(uint32 innerSteps, uint256 seed) public {
        innerSteps = uint32(between(innerSteps, 1, LONGEST));
        bytes32[] memory values = _values(innerSteps, seed);
        bytes32[] memory heap = _heapOf(values);
        uint32 index = uint32(between(seed, 0, innerSteps - 1));
        uint256 expected = _siblings(heap, index).length;
        for (uint256 length = 0; length <= expected + 2; ++length) {
            if (length == expected) continue;
            vm.expectRevert(
                abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, length, expected)
            );
            this.verifyPair(heap[1], innerSteps, index, values, new bytes32[](length));
        }
    }

    /// @dev Places of the padding among them, and the one whose lowest bits are those of place 0.
    function testFuzz_RevertWhen_thePairEndsBeyondTheTrace(uint32 innerSteps, uint32 beyond) public {
        innerSteps = uint32(between(innerSteps, 1, 40));
        bytes32[] memory values = _values(innerSteps, 1);
        bytes32[] memory heap = _heapOf(values);
        uint32[5] memory indices = [
            innerSteps,
            innerSteps + 1,
            uint32(heap.length / 2),
            uint32(between(beyond, innerSteps, type(uint32).max)),
            type(uint32).max
        ];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    TraceTree.IndexBeyondTrace.selector, uint256(indices[i]) + 1, innerSteps
                )
            );
            this.verifyTwo(
                heap[1], innerSteps, indices[i], values[innerSteps], 0, _siblings(heap, innerSteps - 1)
            );
        }
    }

    /// @dev The two nodes below the root, each an inner node, pass for no pair of leaves: not under their own H, which
    /// asks for more siblings, and not under one that asks for none.
    function test_RevertWhen_innerNodesStandInForLeaves() public {
        bytes32[] memory heap = _heapOf(_values(3, 1));
        bytes32 root = heap[1];
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0x01), heap[2], heap[3]));
        vm.assertEq(hash, root, "the way up");

        vm.expectRevert(abi.encodeWithSelector(TraceTree.WrongTraceProofLength.selector, 0, 1));
        this.verifyTwo(root, 3, 0, heap[2], heap[3], new bytes32[](0));
        bytes32 left = keccak256(abi.encodePacked(bytes1(0x00), uint32(0), heap[2]));
        bytes32 right = keccak256(abi.encodePacked(bytes1(0x00), uint32(1), heap[3]));
        hash = keccak256(abi.encodePacked(bytes1(0x01), left, right));
        vm.expectRevert(abi.encodeWithSelector(TraceTree.NotInTrace.selector, 0, hash, root));
        this.verifyTwo(root, 1, 0, heap[2], heap[3], new bytes32[](0));
    }

    // ------------------------------------------------------------------------------------ external, for calldata

    function rootOf(bytes32[] calldata leaves) external pure returns (bytes32) {
        return TraceTree.rootOf(leaves);
    }

    function verifyPair(
        bytes32 root,
        uint32 innerSteps,
        uint32 index,
        bytes32[] calldata values,
        bytes32[] calldata siblings
    ) external pure {
        TraceTree.verifyPair(root, innerSteps, index, values[index], values[index + 1], siblings);
    }

    function verifyTwo(
        bytes32 root,
        uint32 innerSteps,
        uint32 index,
        bytes32 value,
        bytes32 next,
        bytes32[] calldata siblings
    ) external pure {
        TraceTree.verifyPair(root, innerSteps, index, value, next, siblings);
    }

    // ------------------------------------------------------------------------------------ the plain tree

    function _refuse(
        bytes32 root,
        uint32 innerSteps,
        uint32 index,
        bytes32 value,
        bytes32 next,
        bytes32[] memory siblings
    ) private {
        vm.expectPartialRevert(TraceTree.NotInTrace.selector);
        this.verifyTwo(root, innerSteps, index, value, next, siblings);
    }

    function _values(uint32 innerSteps, uint256 seed) private pure returns (bytes32[] memory values) {
        values = new bytes32[](innerSteps + 1);
        for (uint32 i = 0; i <= innerSteps; ++i) {
            values[i] = keccak256(abi.encode(seed, i));
        }
    }

    function _heapOf(bytes32[] memory values) private pure returns (bytes32[] memory heap) {
        uint256 width = 1;
        while (width < values.length) width *= 2;
        heap = new bytes32[](2 * width);
        for (uint32 i = 0; i < values.length; ++i) {
            heap[width + i] = keccak256(abi.encodePacked(bytes1(0x00), i, values[i]));
        }
        for (uint256 n = width - 1; n > 0; --n) {
            heap[n] = keccak256(abi.encodePacked(bytes1(0x01), heap[2 * n], heap[2 * n + 1]));
        }
    }

    /// @dev Of both leaves up to where they have one parent, then of the nodes above it.
    function _siblings(bytes32[] memory heap, uint32 index) private pure returns (bytes32[] memory siblings) {
        bytes32[] memory found = new bytes32[](32);
        uint256 count = 0;
        uint256 left = heap.length / 2 + index;
        uint256 right = left + 1;
        for (; left / 2 != right / 2; (left, right) = (left / 2, right / 2)) {
            (found[count], found[count + 1]) = (heap[left ^ 1], heap[right ^ 1]);
            count += 2;
        }
        for (uint256 node = left / 2; node > 1; node /= 2) {
            found[count++] = heap[node ^ 1];
        }
        siblings = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            siblings[i] = found[i];
        }
    }
}

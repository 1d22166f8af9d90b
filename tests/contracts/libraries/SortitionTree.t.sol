// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SortitionTree} from "../../../contracts/libraries/SortitionTree.sol";
import {Test} from "../support/Vm.sol";

/// @dev The tree against two plain arrays: weights now, and weights when the last epoch ended.
contract SortitionTreeTest is Test {
    using SortitionTree for SortitionTree.Tree;

    // first, last, and neighbours across nodes of every level
    uint256[8] private _leaves = [0, 1, 3, 4, 63, 64, 262_143, 2 ** 30 - 1];

    SortitionTree.Tree private _tree;
    uint256[8] private _now;
    uint256[8] private _previous;
    uint32 private _epoch;

    function testFuzz_matchesThePlainModel(uint256 seed) public {
        for (uint256 step = 0; step < 60; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed % 5 == 0) {
                _epoch += uint32((seed >> 8) % 3 + 1);
                _previous = _now;
            } else {
                uint256 index = (seed >> 16) % 8;
                uint256 weight = (seed >> 32) % 1_000;
                _tree.update(_leaves[index], weight, _epoch);
                _now[index] = weight;
            }
            _compare(seed >> 64);
        }
    }

    function test_aDrawSeesTheLastEpochOnly() public {
        _tree.update(5, 10, 1);
        vm.assertEq(_tree.total(1), 0, "nothing in the epoch of the stake");
        vm.assertEq(_tree.total(2), 10, "all of it in the next");
        _tree.update(5, 0, 2);
        vm.assertEq(_tree.total(2), 10, "a withdrawal does not change the running epoch");
        vm.assertEq(_tree.total(3), 0, "but the next");
    }

    function test_aSnapshotIsUnchangedByLaterWritesOfTheEpoch() public {
        _tree.update(0, 7, 1);
        for (uint256 weight = 1; weight < 20; ++weight) {
            _tree.update(0, weight, 2);
            _tree.update(9, weight, 2);
            vm.assertEq(_tree.total(2), 7, "total");
            vm.assertEq(_tree.find(6, 2), 0, "owner of the last ticket");
        }
    }

    /// @dev Of 32 bits, all are kept.
    function test_theLastEpochsAreToldApart() public {
        uint32[3] memory epochs = [2 ** 31 - 1, 2 ** 31, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = _tree.total(epochs[i]);
            _tree.update(i, 10, epochs[i]);
            vm.assertEq(_tree.total(epochs[i]), before, "nothing in the epoch of the stake");
        }
        vm.assertEq(_tree.total(0), 30, "in another");
    }

    /// @dev Nobody runs out of leaves, which are not used again: at the gas of a new position they fill blocks of 30 million for years.
    function test_thereIsRoomForABillionPositions() public {
        vm.assertEq(SortitionTree.CAPACITY, 2 ** 30, "leaves");
        vm.assertEq(SortitionTree.MAX_SUM, 2 ** 27 - 1, "seats");
        _tree.update(2 ** 30 - 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(SortitionTree.LeafOutOfRange.selector, 2 ** 30, 2 ** 30));
        this.update(2 ** 30, 1, 1);
        vm.assertEq(_height(), 14, "fifteen levels");
        vm.assertEq(
            _tree.nodes[2 ** 28 - 1] % 2 ** 216, uint256(1) << 81, "its word is the last of the lowest"
        );
    }

    /// @dev Within an epoch, so that what draws see stays as it was.
    function test_theRootRisesWithTheLeaves() public {
        uint256[6] memory leaves = [uint256(3), 4, 15, 16, 63, 64];
        uint256[6] memory heights = [uint256(0), 1, 1, 2, 2, 3];
        _tree.update(0, 5, 1);
        for (uint256 i = 0; i < leaves.length; ++i) {
            _tree.update(leaves[i], 1, 2);
            vm.assertEq(_height(), heights[i], "height");
            vm.assertEq(_tree.total(2), 5, "total");
            vm.assertEq(_tree.find(4, 2), 0, "owner");
        }
        vm.assertEq(_tree.total(3), 11, "in the next epoch");
        for (uint256 i = 0; i < leaves.length; ++i) {
            vm.assertEq(_tree.find(5 + i, 3), leaves[i], "in their order");
        }
        _tree.update(0, 0, 3);
        _tree.update(1_024, 2, 3); // two levels at once
        vm.assertEq(_height(), 5, "height");
        vm.assertEq(_tree.find(4, 3), 0, "still its ticket");
        vm.assertEq(_tree.find(6, 4), 1_024, "in the next");
    }

    /// @dev Behind the sums of its four leaves the word of a root has those of the last epoch, and its stamp.
    function test_aLeafBeyondTheRootWeighsNothing() public {
        for (uint256 leaf = 0; leaf < 4; ++leaf) {
            _tree.update(leaf, 7, 1);
        }
        _tree.update(0, 8, 2);
        vm.assertEq(_tree.weightOf(0), 8, "now");
        vm.assertEq(_tree.weightOf(3), 7, "the last below it");
        for (uint256 leaf = 4; leaf < 10; ++leaf) {
            vm.assertEq(_tree.weightOf(leaf), 0, "beyond it");
        }
    }

    /// @dev While an epoch makes the tree higher, too.
    function test_aPartIsWhatStandsBefore() public {
        for (uint256 leaf = 0; leaf < 5; ++leaf) {
            _tree.update(leaf, leaf + 1, 1);
        }
        _tree.update(20, 100, 2);
        uint256[8] memory ends = [uint256(0), 1, 3, 4, 5, 20, 21, SortitionTree.CAPACITY];
        uint256[8] memory sums = [uint256(0), 1, 6, 10, 15, 15, 15, 15];
        for (uint256 i = 0; i < 8; ++i) {
            vm.assertEq(_tree.totalBefore(ends[i], 2), sums[i], "as the last epoch ended");
            vm.assertEq(_tree.totalBefore(ends[i], 3), ends[i] > 20 ? 115 : sums[i], "in the next");
        }
    }

    function test_noTreeIsTooHeavyToGrow() public {
        _tree.update(0, SortitionTree.MAX_SUM, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                SortitionTree.SumTooLarge.selector, SortitionTree.MAX_SUM + 1, SortitionTree.MAX_SUM
            )
        );
        this.update(3, 1, 1);
        _tree.update(4, 0, 1);
        vm.assertEq(_tree.total(2), SortitionTree.MAX_SUM, "all of it in one lane");
        vm.expectRevert(
            abi.encodeWithSelector(
                SortitionTree.SumTooLarge.selector, SortitionTree.MAX_SUM + 1, SortitionTree.MAX_SUM
            )
        );
        this.update(1, 1, 2);
    }

    function test_limitsAreNamed() public {
        this.update(0, SortitionTree.MAX_SUM, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                SortitionTree.SumTooLarge.selector, SortitionTree.MAX_SUM + 1, SortitionTree.MAX_SUM
            )
        );
        this.update(1, 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                SortitionTree.LeafOutOfRange.selector, SortitionTree.CAPACITY, SortitionTree.CAPACITY
            )
        );
        this.update(SortitionTree.CAPACITY, 1, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                SortitionTree.TicketOutOfRange.selector, SortitionTree.MAX_SUM, SortitionTree.MAX_SUM
            )
        );
        this.find(SortitionTree.MAX_SUM, 2);
    }

    /// @dev Three times the leaves of one node, so that sums meet in few nodes. Read from the tree's own words.
    function testFuzz_everyNodeIsTheSumOfItsChildrenInBothEpochs(uint256 seed) public {
        for (uint256 step = 0; step < 40; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            if (seed % 4 == 0) _epoch += uint32((seed >> 8) % 2 + 1);
            uint256 leaf = (seed >> 16) % 12 + ((seed >> 24) % 2) * 16_384;
            _tree.update(leaf, (seed >> 32) % 50, _epoch);
            for (uint256 level = 0; level < _height(); ++level) {
                leaf >>= 2;
                (uint256 current, uint256 snapshot) = _sums(level, leaf);
                (uint256 above, uint256 aboveBefore) = _lanes(level + 1, leaf >> 2, leaf & 3);
                vm.assertEq(above, current, "now");
                vm.assertEq(aboveBefore, snapshot, "as the last epoch ended");
            }
        }
    }

    function testFuzz_noWriteOfAnEpochChangesWhatItsDrawsSee(uint256 seed) public {
        for (uint256 i = 0; i < 8; ++i) {
            _tree.update(_leaves[i], (seed >> (8 * i)) % 9 + 1, 1);
        }
        uint256 sum = _tree.total(2);
        uint256[] memory owners = new uint256[](sum);
        for (uint256 ticket = 0; ticket < sum; ++ticket) {
            owners[ticket] = _tree.find(ticket, 2);
        }
        for (uint256 i = 0; i < 8; ++i) {
            _tree.update(_leaves[(seed >> (3 * i)) % 8], (seed >> (64 + 8 * i)) % 100, 2);
        }
        vm.assertEq(_tree.total(2), sum, "total");
        for (uint256 ticket = 0; ticket < sum; ++ticket) {
            vm.assertEq(_tree.find(ticket, 2), owners[ticket], "owner");
        }
    }

    function update(uint256 leaf, uint256 weight, uint32 epoch) external {
        _tree.update(leaf, weight, epoch);
    }

    function find(uint256 ticket, uint32 epoch) external view returns (uint256) {
        return _tree.find(ticket, epoch);
    }

    function _compare(uint256 entropy) private view {
        uint256 total = 0;
        for (uint256 i = 0; i < 8; ++i) {
            total += _previous[i];
            vm.assertEq(_tree.weightOf(_leaves[i]), _now[i], "weight now");
        }
        vm.assertEq(_tree.total(_epoch), total, "total");
        _comparePart(entropy >> 128);
        if (total == 0) return;
        uint256 ticket = entropy % total;
        uint256 left = ticket;
        uint256 owner = 0;
        while (left >= _previous[owner]) {
            left -= _previous[owner++];
        }
        vm.assertEq(_tree.find(ticket, _epoch), _leaves[owner], "owner of a ticket");
    }

    /// @dev Before any leaf, one beyond the tree included.
    function _comparePart(uint256 entropy) private view {
        uint256 end =
            entropy % 3 == 0 ? entropy % (SortitionTree.CAPACITY + 1) : _leaves[entropy % 8] + entropy % 2;
        uint256 sum = 0;
        for (uint256 i = 0; i < 8; ++i) {
            if (_leaves[i] < end) sum += _previous[i];
        }
        vm.assertEq(_tree.totalBefore(end, _epoch), sum, "total of a part");
    }

    function _sums(uint256 level, uint256 place) private view returns (uint256 current, uint256 snapshot) {
        for (uint256 lane = 0; lane < 4; ++lane) {
            (uint256 a, uint256 b) = _lanes(level, place, lane);
            (current, snapshot) = (current + a, snapshot + b);
        }
    }

    function _lanes(uint256 level, uint256 place, uint256 lane)
        private
        view
        returns (uint256 current, uint256 snapshot)
    {
        uint256 node = level == _height() ? _tree.root : _tree.nodes[(level << 32) | place];
        current = (node >> (27 * lane)) % 2 ** 27;
        bool isOfTheEpoch = uint32(node >> 216) == _epoch;
        snapshot = isOfTheEpoch ? (node >> (108 + 27 * lane)) % 2 ** 27 : current;
    }

    function _height() private view returns (uint256) {
        return _tree.root >> 248;
    }
}

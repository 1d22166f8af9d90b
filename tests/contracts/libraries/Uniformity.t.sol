// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SortitionTree} from "../../../contracts/libraries/SortitionTree.sol";
import {Test} from "../support/Vm.sol";
import {ChiSquare} from "../support/ChiSquare.sol";

/// @dev Draws are as likely as seats, however the seats are spread over positions.
contract UniformityTest is Test {
    using SortitionTree for SortitionTree.Tree;

    uint256 private constant DRAWS = 20_000;
    uint256 private constant POSITIONS = 12;

    SortitionTree.Tree private _tree;
    SortitionTree.Tree private _split;

    /// @dev Positions of 1 to 12 seats, far apart. Pearson's chi-square with 11 degrees of freedom stays below 31.3
    /// with probability 0.999.
    function test_drawsAreDistributedAsSeats() public {
        for (uint256 i = 0; i < POSITIONS; ++i) {
            _tree.update(_leaf(i), i + 1, 1);
        }
        uint256 total = _tree.total(2);
        uint256[] memory drawn = new uint256[](POSITIONS);
        for (uint256 draw = 0; draw < DRAWS; ++draw) {
            drawn[_position(_tree.find(_ticket(draw, total), 2))] += 1;
        }
        vm.assertLe(ChiSquare.ofSeats(drawn), 31_300, "chi-square in thousandths");
    }

    /// @dev One position preferred by a fifth is found by the same measure.
    function test_theMeasureFindsAPreference() public pure {
        uint256 total = POSITIONS * (POSITIONS + 1) / 2;
        uint256[] memory drawn = new uint256[](POSITIONS);
        for (uint256 i = 0; i < POSITIONS; ++i) {
            drawn[i] = DRAWS * (i + 1) / total;
        }
        vm.assertLe(ChiSquare.ofSeats(drawn), 1_000, "as seats");
        uint256 more = drawn[POSITIONS - 1] / 5;
        drawn[POSITIONS - 1] += more;
        drawn[POSITIONS - 2] -= more;
        vm.assertGe(ChiSquare.ofSeats(drawn), 31_300, "one preferred");
    }

    /// @dev Not only on average: of all tickets there are, an account owns as many as it has seats, whether they
    /// stand in one position or each in one of its own.
    function testFuzz_splittingAPositionChangesNothing(uint256 seed) public {
        uint256[4] memory seats;
        uint256 next = 0;
        for (uint256 account = 0; account < 4; ++account) {
            seats[account] = between(seed >> (8 * account), 1, 40);
            _tree.update(account, seats[account], 1);
            for (uint256 seat = 0; seat < seats[account]; ++seat) {
                _split.update(4 * (next++) + account, 1, 1); // each account's seats among the others'
            }
        }
        uint256 total = _tree.total(2);
        vm.assertEq(_split.total(2), total, "as many seats");
        uint256[4] memory whole;
        uint256[4] memory parts;
        for (uint256 ticket = 0; ticket < total; ++ticket) {
            whole[_tree.find(ticket, 2)] += 1;
            parts[_split.find(ticket, 2) % 4] += 1;
        }
        for (uint256 account = 0; account < 4; ++account) {
            vm.assertEq(whole[account], seats[account], "in one position");
            vm.assertEq(parts[account], seats[account], "in many");
        }
    }

    /// @dev As in Staking.draw.
    function _ticket(uint256 draw, uint256 total) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(keccak256(abi.encode("seat", draw)), uint256(0)))) % total;
    }

    function _leaf(uint256 position) private pure returns (uint256) {
        return position * 20_011;
    }

    function _position(uint256 leaf) private pure returns (uint256) {
        return leaf / 20_011;
    }
}

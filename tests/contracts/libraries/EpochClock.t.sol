// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {EpochClock, EpochClocks} from "../../../contracts/libraries/EpochClock.sol";
import {Test} from "../support/Vm.sol";

contract EpochClockTest is Test {
    function testFuzz_epochsOfBlocks(uint32 epoch, uint32 length, uint32 into) public {
        (uint256 first, uint256 last) = _bounds(epoch, length);
        EpochClock clock = EpochClocks.ofBlocks(last - first + 1);
        vm.warp(1);
        vm.roll(first + into % (last - first + 1));
        vm.assertEq(clock.currentEpoch(), epoch, "by blocks");
        vm.roll(last);
        vm.assertEq(clock.currentEpoch(), epoch, "in its last block");
    }

    function testFuzz_epochsOfSeconds(uint32 epoch, uint32 length, uint32 into) public {
        (uint256 first, uint256 last) = _bounds(epoch, length);
        EpochClock clock = EpochClocks.ofSeconds(last - first + 1);
        vm.roll(1);
        vm.warp(first + into % (last - first + 1));
        vm.assertEq(clock.currentEpoch(), epoch, "by seconds");
        vm.warp(last);
        vm.assertEq(clock.currentEpoch(), epoch, "in its last second");
    }

    /// @dev First and last block, or second, of an epoch.
    function _bounds(uint32 epoch, uint32 length) private pure returns (uint256 first, uint256 last) {
        uint256 whole = uint256(length % 10_000) + 1;
        first = epoch * whole;
        last = first + whole - 1;
    }
}

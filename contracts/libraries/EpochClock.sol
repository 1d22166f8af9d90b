// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @notice How a source of seeds counts epochs: all have one length, of blocks or of seconds, and the first begins with zero of
/// them. Whoever has asked for it once reckons the epoch, and asks no more.
///
///   bit 0          whether it counts seconds
///   bits 1..255    length
type EpochClock is uint256;

using EpochClocks for EpochClock global;

library EpochClocks {
    using SafeCast for uint256;

    function ofBlocks(uint256 length) internal pure returns (EpochClock) {
        return EpochClock.wrap(length << 1);
    }

    function ofSeconds(uint256 length) internal pure returns (EpochClock) {
        return EpochClock.wrap((length << 1) | 1);
    }

    function currentEpoch(EpochClock clock) internal view returns (uint32) {
        uint256 word = EpochClock.unwrap(clock);
        uint256 passed = word & 1 == 1 ? block.timestamp : block.number;
        return (passed / (word >> 1)).toUint32();
    }
}

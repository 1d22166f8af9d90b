// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {EpochClock} from "../libraries/EpochClock.sol";

/// @notice One unpredictable seed per epoch. A draw made in epoch `e` uses `seed(e - 1)`, which was still
/// unknown while epoch `e - 1` ran, so nothing that was fixed in epoch `e - 1` or earlier could be fitted to it.
interface IRandomnessSource {
    /// @dev The draw `id` was asked for in the current epoch; a seed decides it from the next epoch on.
    error SeedNotDue(bytes32 id, uint32 requestEpoch, uint32 currentEpoch);
    error SeedNotKnown(uint32 epoch);

    /// @notice By which epochs are counted; never another one.
    function clock() external view returns (EpochClock);

    function currentEpoch() external view returns (uint32);

    /// @return value the seed, zero while unknown
    /// @return ready whether the seed is known
    function seed(uint32 epoch) external view returns (bytes32 value, bool ready);
}

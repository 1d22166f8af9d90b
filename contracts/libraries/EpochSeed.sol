// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRandomnessSource} from "../interfaces/IRandomnessSource.sol";

/// @notice When a draw may be made, and with which seed.
library EpochSeed {
    /// @dev The newest seed there can be. Requests of earlier epochs were fixed before its block existed, and
    /// whoever dislikes it can not wait it out: anybody may draw.
    /// @param requestEpoch epoch in which the draw `id` was asked for
    /// @param epoch the current one
    /// @return value the seed
    function forDraw(IRandomnessSource source, bytes32 id, uint32 requestEpoch, uint32 epoch)
        internal
        view
        returns (bytes32 value)
    {
        require(epoch > requestEpoch, IRandomnessSource.SeedNotDue(id, requestEpoch, epoch));
        bool ready;
        (value, ready) = source.seed(epoch - 1);
        require(ready, IRandomnessSource.SeedNotKnown(epoch - 1));
    }
}

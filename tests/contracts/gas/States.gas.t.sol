// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {StatesWorld} from "../support/StatesWorld.sol";

/// @dev An outer step over four results, the default round: the first of a job, and one after it.
/// forge-config: default.isolate = true
contract StatesGas is StatesWorld {
    function test_append() public {
        appendAs(buyer, 0, BASE, "one", acceptedRound(0, BASE, 4));
        vm.snapshotGasLastCall("states", "append, 4 results, first step");
        appendAs(buyer, 1, "one", "two", acceptedRound(1, "one", 4));
        vm.snapshotGasLastCall("states", "append, 4 results");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Cases} from "./Cases.sol";

/// @dev All contracts, one subnet with the default numbers, and people with money in the vault.
abstract contract World is Cases {
    uint256 internal constant PURSE = 10_000 * PAN;

    function setUp() public virtual {
        vm.roll(100 * EPOCH_BLOCKS);
        deploy();
        fund(address(this), 2 * SUBNET_BOND);
        registry.createSubnet(defaultParams(), 0); // so that no number of a subnet is that of its version
        subnet = registry.createSubnet(defaultParams(), keccak256("plugin"));

        workers = [actor("alice"), actor("bob"), actor("carol"), actor("dave")];
        fund(buyer, PURSE);
        fund(dora, PURSE);
        for (uint256 i = 0; i < workers.length; ++i) {
            fund(workers[i], PURSE);
        }
    }
}

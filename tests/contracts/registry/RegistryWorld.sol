// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

/// @dev What the entry points of an owner have in common.
abstract contract RegistryWorld is World {
    /// @param selector of a call whose first argument is the subnet
    function _isTheOwners(bytes4 selector) internal {
        bytes memory call = abi.encodeWithSelector(selector, subnet, defaultParams());
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.NotSubnetOwner.selector, subnet, stranger));
        vm.prank(stranger);
        (bool ok,) = address(registry).call(call);
        vm.assertTrue(ok, "refused as expected");
    }

    function _takesNothingNew(bytes memory reason) internal {
        Terms memory posted = terms(1);
        vm.expectRevert(reason);
        vm.prank(buyer);
        market.createBatch(posted);
        for (uint256 role = 0; role < 2; ++role) {
            vm.expectRevert(reason);
            stake(workers[0], Role(role), 1);
        }
    }
}

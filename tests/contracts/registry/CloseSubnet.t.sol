// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract CloseSubnetTest is World {
    function test_RevertWhen_theCallerIsNotItsOwner() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.NotSubnetOwner.selector, subnet, stranger));
        vm.prank(stranger);
        registry.closeSubnet(subnet);
    }

    function test_RevertGiven_itIsClosed() public {
        registry.closeSubnet(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
        registry.closeSubnet(subnet);
    }

    function test_itSaysWhenTheBondCanGoBack() public {
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.SubnetClosed(subnet, uint40(vm.getBlockTimestamp() + 30 days));
        registry.closeSubnet(subnet);
    }

    function test_noNewTaskIsTaken() public {
        registry.pause(subnet); // closed is what counts
        registry.closeSubnet(subnet);
        Terms memory posted = terms(1);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
        vm.prank(buyer);
        market.createBatch(posted);
    }

    function test_noNewStakeIsTaken() public {
        registry.closeSubnet(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
        stake(workers[0], Role.Verifier, 1);
    }
}

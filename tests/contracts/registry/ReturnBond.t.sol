// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {World} from "../support/World.sol";

contract ReturnBondTest is World {
    function test_RevertWhen_nobodyOpenedTheSubnet() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 99));
        registry.returnBond(99);
    }

    function test_RevertGiven_itIsNotClosed() public {
        bytes memory reason = abi.encodeWithSelector(ISubnetRegistry.SubnetNotClosed.selector, subnet);
        vm.expectRevert(reason);
        registry.returnBond(subnet);
        registry.pause(subnet);
        vm.expectRevert(reason);
        registry.returnBond(subnet);
    }

    function test_RevertGiven_lessThanThirtyDaysHavePassed() public {
        registry.closeSubnet(subnet);
        uint40 bondAt = uint40(vm.getBlockTimestamp() + 30 days);
        vm.warp(bondAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.BondNotDue.selector, subnet, bondAt));
        registry.returnBond(subnet);
    }

    function test_RevertGiven_theBondIsBack() public {
        registry.closeSubnet(subnet);
        pass(30 days);
        registry.returnBond(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.BondIsBack.selector, subnet));
        registry.returnBond(subnet);
    }

    function test_itPaysTheOwner() public {
        fund(address(this), SUBNET_BOND);
        registry.createSubnet(defaultParams(), "another");
        stakeAll(1, 1);
        registry.closeSubnet(subnet);
        pass(30 days);
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.BondReturned(subnet, address(this), SUBNET_BOND);
        vm.prank(stranger);
        registry.returnBond(subnet);
        vm.assertEq(free(address(this)), SUBNET_BOND, "the owner's account");
        vm.assertEq(free(address(registry)), 2 * SUBNET_BOND, "the other bonds");
    }
}

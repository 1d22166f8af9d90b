// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {RegistryWorld} from "./RegistryWorld.sol";

contract ResumeTest is RegistryWorld {
    function test_RevertWhen_theCallerIsNotItsOwner() public {
        _isTheOwners(ISubnetRegistry.resume.selector);
    }

    function test_RevertGiven_itIsClosed() public {
        registry.pause(subnet);
        registry.closeSubnet(subnet);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
        registry.resume(subnet);
    }

    function test_RevertGiven_itIsNotPaused() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.SubnetNotPaused.selector, subnet));
        registry.resume(subnet);
    }

    function test_itTakesTasksAndStakeAgain() public {
        registry.pause(subnet);
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.SubnetResumed(subnet);
        registry.resume(subnet);
        stakeAll(2, 2);
        submitted();
    }
}

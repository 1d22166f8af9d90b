// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {RegistryWorld} from "./RegistryWorld.sol";

contract CloseSubnetTest is RegistryWorld {
    function test_RevertWhen_theCallerIsNotItsOwner() public {
        _isTheOwners(ISubnetRegistry.closeSubnet.selector);
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

    function test_itTakesNoNewTaskAndNoNewStake() public {
        registry.pause(subnet); // closed is what counts
        registry.closeSubnet(subnet);
        _takesNothingNew(abi.encodeWithSelector(ISubnetRegistry.SubnetIsClosed.selector, subnet));
    }
}

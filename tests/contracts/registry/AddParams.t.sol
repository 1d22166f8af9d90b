// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {RegistryWorld} from "./RegistryWorld.sol";

contract AddParamsTest is RegistryWorld {
    function test_RevertWhen_nobodyOpenedTheSubnet() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 9));
        registry.addParams(9, defaultParams());
    }

    function test_RevertWhen_aBoundIsCrossed() public {
        Params memory params = defaultParams();
        params.minPrice = 0;
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.ParamOutOfBounds.selector, bytes32("minPrice"), 0, 1, 1e26)
        );
        registry.addParams(subnet, params);
        vm.assertEq(registry.latestVersion(subnet), 1, "no version");
    }

    function test_itSaysSo() public {
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.ParamsAdded(subnet, 2);
        registry.addParams(subnet, defaultParams());
    }

    function test_RevertWhen_theCallerIsNotItsOwner() public {
        _isTheOwners(ISubnetRegistry.addParams.selector);
    }

    function test_whatASeatIsWorthAndWhenItCanLeaveNeverChange() public {
        bytes memory reason = abi.encodeWithSelector(ISubnetRegistry.SeatTermsChanged.selector, subnet);
        Params memory params = defaultParams();
        params.solverStake += 1;
        vm.expectRevert(reason);
        registry.addParams(subnet, params);
        params = defaultParams();
        params.seatBond += 1;
        vm.expectRevert(reason);
        registry.addParams(subnet, params);
        params = defaultParams();
        params.exposure += 1;
        vm.expectRevert(reason);
        registry.addParams(subnet, params);
        params = defaultParams();
        params.cooldownEpochs += 1;
        vm.expectRevert(reason);
        registry.addParams(subnet, params);
    }

    function test_versionsAreAddedAndOldOnesStay() public {
        Params memory params = defaultParams();
        params.minPrice = 77;
        vm.assertEq(registry.addParams(subnet, params), 2, "version");
        vm.assertEq(registry.openVersion(subnet), 2, "that tasks are posted under");
        vm.assertEq(registry.paramsOf(subnet, 1).minPrice, PRICE, "first version");
        vm.assertEq(registry.paramsOf(subnet, 2).minPrice, 77, "second version");
    }

    function test_otherVersionsAreUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 2));
        registry.paramsOf(subnet, 2);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 0));
        registry.paramsOf(subnet, 0);
    }
}

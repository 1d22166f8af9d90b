// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {GasWorld} from "./GasWorld.sol";

/// forge-config: default.isolate = true
contract BeaconGas is GasWorld {
    function test_fulfil() public {
        uint32 epoch = beacon.currentEpoch();
        uint256 target = beacon.targetBlock(epoch);
        mine(target + 1);
        beacon.fulfil(epoch, headerOf(target));
        vm.snapshotGasLastCall("beacon", "fulfil, a seed per epoch");
    }

    function test_parameters() public {
        Params memory params = defaultParams();
        fund(address(this), SUBNET_BOND);
        registry.createSubnet(params, keccak256("plugin"));
        vm.snapshotGasLastCall("registry", "createSubnet");
        registry.addParams(subnet, params);
        vm.snapshotGasLastCall("registry", "addParams");
        transact(address(registry), abi.encodeCall(ISubnetRegistry.paramsOf, (subnet, 1)));
        vm.snapshotGasLastCall("registry", "paramsOf, as a transaction");
        transact(address(registry), abi.encodeCall(ISubnetRegistry.seatTerms, (subnet)));
        vm.snapshotGasLastCall("registry", "seatTerms, as a transaction");
    }
}

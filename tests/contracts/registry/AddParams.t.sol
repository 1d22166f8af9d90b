// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {VersionsView} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
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

    function test_itSaysSoAndFromWhenOn() public {
        uint32 from = beacon.currentEpoch() + defaultParams().cooldownEpochs;
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.ParamsAdded(subnet, 2, from);
        registry.addParams(subnet, defaultParams());
    }

    function test_everybodyCanAskWhatIsOnItsWayAndFromWhenOn() public {
        vm.assertEq(registry.newestFrom(subnet), 0, "the first one always is in force");
        registry.addParams(subnet, defaultParams());
        uint32 from = beacon.currentEpoch() + defaultParams().cooldownEpochs;
        for (uint32 epoch = beacon.currentEpoch(); epoch <= from; ++epoch) {
            vm.assertEq(registry.newestFrom(subnet), from, "epoch");
            VersionsView memory versions = lens.versionsOf(subnet);
            vm.assertEq(versions.inForce, epoch < from ? 1 : 2, "in force");
            vm.assertEq(versions.newest, 2, "newest");
            vm.assertEq(versions.newestFrom, from, "from when on");
            nextEpoch();
        }
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 9));
        registry.newestFrom(9);
    }

    function test_RevertGiven_theOneBeforeIsNotInForce() public {
        registry.addParams(subnet, defaultParams());
        uint32 from = beacon.currentEpoch() + defaultParams().cooldownEpochs;
        nextEpoch();
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.VersionNotInForce.selector, subnet, 2, from));
        registry.addParams(subnet, defaultParams());
        nextEpoch();
        vm.assertEq(registry.addParams(subnet, defaultParams()), 3, "version");
    }

    function test_RevertWhen_theCallerIsNotItsOwner() public {
        _isTheOwners(ISubnetRegistry.addParams.selector);
    }

    function test_whatASeatIsWorthAndWhenItCanLeaveNeverChange() public {
        Params memory params = defaultParams();
        params.solverStake += 1;
        _isRefusedFor(params, "solverStake", params.solverStake);
        params = defaultParams();
        params.seatBond += 1;
        _isRefusedFor(params, "seatBond", params.seatBond);
        params = defaultParams();
        params.exposure += 1;
        _isRefusedFor(params, "exposure", params.exposure);
        params = defaultParams();
        params.cooldownEpochs += 1;
        _isRefusedFor(params, "cooldownEpochs", params.cooldownEpochs);
    }

    function test_versionsAreAddedAndOldOnesStay() public {
        Params memory params = defaultParams();
        params.minPrice = 77;
        vm.assertEq(registry.addParams(subnet, params), 2, "version");
        vm.assertEq(registry.latestVersion(subnet), 2, "newest");
        vm.assertEq(registry.paramsOf(subnet, 1).minPrice, PRICE, "first version");
        vm.assertEq(registry.paramsOf(subnet, 2).minPrice, 77, "second version");
    }

    /// @dev A price of one unit for a task that still costs the penalty if nobody solves it: whoever is staked is gone before it.
    function test_aVersionBindsNobodyWhoLeavesWhenItIsAdded() public {
        stakeAll(1, 1);
        Params memory params = defaultParams();
        params.minPrice = 1;
        registry.addParams(subnet, params);
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.prank(workers[i]);
            staking.requestUnstake(subnet, Role.Solver, 1);
        }
        Terms memory worse = terms(1);
        (worse.paramsVersion, worse.price) = (2, 1);
        for (uint256 epochs = 0; epochs < 2; ++epochs) {
            vm.assertEq(registry.currentVersion(subnet), 1, "in force");
            vm.assertEq(registry.openVersion(subnet), 1, "that tasks are posted under");
            vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NotCurrentVersion.selector, 2, 1));
            vm.prank(buyer);
            market.createBatch(worse);
            nextEpoch();
        }
        vm.assertEq(registry.currentVersion(subnet), 2, "in force");
        for (uint256 i = 0; i < workers.length; ++i) {
            vm.prank(workers[i]);
            staking.withdrawStake(subnet, Role.Solver);
            vm.assertEq(staked(workers[i], Role.Solver), 0, "gone");
        }
        vm.prank(buyer);
        market.createBatch(worse);
    }

    function test_otherVersionsAreUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 2));
        registry.paramsOf(subnet, 2);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 0));
        registry.paramsOf(subnet, 0);
    }

    function _isRefusedFor(Params memory params, bytes32 name, uint256 received) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubnetRegistry.SeatTermsChanged.selector, subnet, name, received, received - 1
            )
        );
        registry.addParams(subnet, params);
    }
}

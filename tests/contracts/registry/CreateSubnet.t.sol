// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {World} from "../support/World.sol";

contract CreateSubnetTest is World {
    function setUp() public override {
        super.setUp();
        fund(address(this), 10 * SUBNET_BOND);
    }

    function test_anyoneOpensASubnetAndOwnsIt() public {
        fund(stranger, SUBNET_BOND);
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.SubnetCreated(3, stranger, keccak256("other"), SUBNET_BOND);
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.ParamsAdded(3, 1, 0);
        vm.prank(stranger);
        uint32 id = registry.createSubnet(defaultParams(), keccak256("other"));
        vm.assertEq(id, 3, "ids count from one");
        vm.assertEq(registry.ownerOf(id), stranger, "owner");
        vm.assertEq(registry.metadataHashOf(id), keccak256("other"), "metadata");
        vm.assertEq(registry.latestVersion(id), 1, "version");
        vm.assertEq(registry.currentVersion(id), 1, "in force at once");
        vm.assertEq(free(stranger), 0, "the bond is paid");
        vm.assertEq(free(address(registry)), 3 * SUBNET_BOND, "beside the others");
    }

    function test_allFieldsAreKept() public view {
        vm.assertEq(
            keccak256(abi.encode(registry.paramsOf(subnet, 1))),
            keccak256(abi.encode(defaultParams())),
            "parameters"
        );
    }

    function test_aSeatMayHaveRoomForOneTask() public {
        Params memory params = defaultParams();
        params.exposure = 1;
        uint32 id = registry.createSubnet(params, 0);
        (uint96 solverStake, uint96 seatBond, uint8 exposure) = registry.seatTerms(id);
        vm.assertEq(solverStake, params.solverStake, "solver's stake");
        vm.assertEq(seatBond, params.seatBond, "bond");
        vm.assertEq(exposure, 1, "exposure");
    }

    function test_otherSubnetsAreUnknown() public {
        bytes memory reason = abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 9);
        vm.expectRevert(reason);
        registry.latestVersion(9);
        vm.expectRevert(reason);
        registry.seatTerms(9);
        vm.expectRevert(reason);
        registry.openVersion(9);
        vm.expectRevert(reason);
        registry.currentVersion(9);
        vm.expectRevert(reason);
        registry.paramsOf(9, 1);
    }

    function test_RevertWhen_theCallerCanNotPayTheBond() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, stranger, SUBNET_BOND, 0));
        vm.prank(stranger);
        registry.createSubnet(defaultParams(), "another");
    }

    function test_aBondThatCouldNotPayForTheNextPanelIsRefused() public {
        Params memory params = defaultParams();
        // two of three seats lose 2 * b; the next panel costs 50
        params.seatBond = uint96(25 * PAN);
        registry.createSubnet(params, 0);
        params.seatBond -= 1;
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.SeatBondTooSmall.selector, 1, 50 * PAN - 2, 50 * PAN)
        );
        registry.createSubnet(params, 0);
    }

    function test_aStakeThatCouldNotRepayTheFirstFeeIsRefused() public {
        Params memory params = defaultParams();
        params.bountyBps = 3_001;
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubnetRegistry.SolverStakeTooSmall.selector, STAKE * 2_999 / 10_000, 30 * PAN
            )
        );
        registry.createSubnet(params, 0);
    }

    function test_aLastPanelThatLostBondsCouldNotPayForIsRefused() public {
        Params memory params = defaultParams();
        // 3, 5, 7, then 31: four of seven seats lose 4 * 40, and 31 seats cost 310
        params.terminalPanel = 31;
        params.seatBond = uint96(78 * PAN);
        registry.createSubnet(params, 0);
        params.seatBond = uint96(77 * PAN);
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.SeatBondTooSmall.selector, 3, 4 * 77 * PAN, 310 * PAN)
        );
        registry.createSubnet(params, 0);
    }

    function test_poisoningOneStepMustNotPay() public {
        Params memory params = defaultParams();
        params.outsideGain = uint96(10.89 * 1e18); // 11 % * 0.9 * 110
        uint256 least = (uint256(10.89 * 1e18) * 10_000 * 2 ** 32 + 990_000e18 - 1) / 990_000e18;
        vm.assertEq(least, uint256(params.pMin) + 1, "one part more, for pMin was rounded down");
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubnetRegistry.UnsafeSampling.selector, params.outsideGain, params.pMin, least
            )
        );
        registry.createSubnet(params, 0);
        params.pMin += 1;
        vm.expectPartialRevert(ISubnetRegistry.BribesPay.selector);
        registry.createSubnet(params, 0);
    }

    /// @dev 30 for each check that is not by the cheat's own: as long as 37 % of all results are looked at, the work costs less.
    function test_bribingWhoeverChecksMustNotPay() public {
        Params memory params = defaultParams();
        (params.pMin, params.stepAuditRate) = (0, 1_590_728_629); // 10 / (0.9 * 30) of 2^32, rounded up
        registry.createSubnet(params, 0);
        params.stepAuditRate -= 1;
        uint256 bribe = uint256(params.stepAuditRate) * 30 * PAN * 9_000 / (10_000 * 2 ** 32);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.BribesPay.selector, 10 * PAN, bribe));
        registry.createSubnet(params, 0);
        params.bountyBps = 0; // then there is nothing to give up
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.BribesPay.selector, 10 * PAN, 0));
        registry.createSubnet(params, 0);
        params = defaultParams();
        params.outsideGain = uint96(2.97 * 1e18); // 11 % * 0.9 * 30, seen by checks of the whole task alone
        (params.stepAuditRate, params.pMax) = (2 ** 31, 2 ** 32 - 1);
        vm.expectPartialRevert(ISubnetRegistry.BribesPay.selector);
        registry.createSubnet(params, 0);
        params.pMin += 1;
        registry.createSubnet(params, 0);
    }

    function test_notComputingMustNotPay() public {
        Params memory params = defaultParams();
        // 10 / (0.9 * 110) of 2^32
        (params.pMin, params.stepAuditRate) = (433_835_080, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubnetRegistry.UnsafeSampling.selector, 10 * PAN, params.pMin, params.pMin + 1
            )
        );
        registry.createSubnet(params, 0);
        params.pMin += 1; // it deters, if nobody can be bribed
        vm.expectPartialRevert(ISubnetRegistry.BribesPay.selector);
        registry.createSubnet(params, 0);
        // checks of single steps do as well
        (params.pMin, params.stepAuditRate) = (0, 433_835_081);
        vm.expectPartialRevert(ISubnetRegistry.BribesPay.selector);
        registry.createSubnet(params, 0);
        params.stepAuditRate -= 1;
        vm.expectPartialRevert(ISubnetRegistry.UnsafeSampling.selector);
        registry.createSubnet(params, 0);
    }

    /// @dev All of them: libraries/ParamRules.t.sol.
    function test_RevertWhen_aParameterIsOutOfItsBounds() public {
        Params memory p = defaultParams();
        p.exposure = 17;
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.ParamOutOfBounds.selector, bytes32("exposure"), 17, 1, 16)
        );
        registry.createSubnet(p, 0);
    }
}

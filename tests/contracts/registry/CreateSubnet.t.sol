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
        registry.createSubnet(params, 0);
    }

    function test_notComputingMustNotPay() public {
        Params memory params = defaultParams();
        params.stepAuditRate = 0;
        registry.createSubnet(params, 0);
        // 10 / (0.9 * 110) of 2^32
        params.pMin = 433_835_080;
        vm.expectRevert(
            abi.encodeWithSelector(
                ISubnetRegistry.UnsafeSampling.selector, 10 * PAN, params.pMin, params.pMin + 1
            )
        );
        registry.createSubnet(params, 0);
        params.pMin += 1;
        registry.createSubnet(params, 0);
        // checks of single steps do as well
        (params.pMin, params.stepAuditRate) = (0, 433_835_081);
        registry.createSubnet(params, 0);
        params.stepAuditRate -= 1;
        vm.expectPartialRevert(ISubnetRegistry.UnsafeSampling.selector);
        registry.createSubnet(params, 0);
    }

    function test_everyBoundIsNamed() public {
        Params memory p = defaultParams();
        p.minPrice = 0;
        _refused(p, "minPrice", 0, 1, 1e26);
        p = defaultParams();
        p.solverStake = 1e26 + 1;
        _refused(p, "solverStake", 1e26 + 1, 1, 1e26);
        p = defaultParams();
        p.verifierFee = 0;
        _refused(p, "verifierFee", 0, p.computeCost, 1e26);
        p = defaultParams();
        p.seatBond = 0;
        _refused(p, "seatBond", 0, 1, 1e26);
        p = defaultParams();
        p.exposure = 17;
        _refused(p, "exposure", 17, 1, 16);
        p = defaultParams();
        p.openSeconds = 0;
        _refused(p, "openSeconds", 0, LEAST_WINDOW, 30 days);
        p = defaultParams();
        p.solveSeconds = 30 days + 1;
        _refused(p, "solveSeconds", 30 days + 1, LEAST_WINDOW, 30 days);
        p = defaultParams();
        p.challengeSeconds = 0;
        _refused(p, "challengeSeconds", 0, LEAST_WINDOW, 30 days);
        p = defaultParams();
        p.commitSeconds = 0;
        _refused(p, "commitSeconds", 0, p.solveSeconds, 30 days);
        p = defaultParams();
        p.revealSeconds = 0;
        _refused(p, "revealSeconds", 0, LEAST_WINDOW, 30 days);
        p = defaultParams();
        p.appealSeconds = 0;
        _refused(p, "appealSeconds", 0, LEAST_WINDOW, 30 days);
        p = defaultParams();
        p.cooldownEpochs = 1;
        _refused(p, "cooldownEpochs", 1, 2, 1_000_000);
    }

    function test_everyBoundOfPanelsAndSharesIsNamed() public {
        Params memory p = defaultParams();
        p.maxAttempts = 0;
        _refused(p, "maxAttempts", 0, 1, 10);
        p = defaultParams();
        p.panelStart = 4;
        _refused(p, "panelStart odd", 0, 1, 1);
        p = defaultParams();
        p.panelStep = 1;
        _refused(p, "panelStep even", 1, 0, 0);
        p = defaultParams();
        p.maxRounds = 17;
        _refused(p, "maxRounds", 17, 1, 16);
        p = defaultParams();
        p.panelStep = 32;
        _refused(p, "last panel", 67, 1, 63);
        p = defaultParams();
        p.panelDoubles = true;
        _refused(p, "panelStep of doubling", 2, 0, 0);
        p.panelStep = 0;
        p.maxRounds = 16;
        _refused(p, "last panel", 131_071, 1, 63);
        p = defaultParams();
        p.terminalPanel = 30;
        _refused(p, "terminalPanel odd", 0, 1, 1);
        p.terminalPanel = 5;
        _refused(p, "terminalPanel", 5, 7, 63);
        p.terminalPanel = 1;
        _refused(p, "terminalPanel", 1, 7, 63);
        p = defaultParams();
        p.bountyBps = 4_001;
        _refused(p, "bountyBps", 4_001, 0, 4_000);
        p = defaultParams();
        p.buyerBps = 3_001;
        _refused(p, "buyerBps", 3_001, 0, 3_000);
        p = defaultParams();
        p.burnBps = 2_999;
        _refused(p, "burnBps", 2_999, 3_000, 6_000);
        p = defaultParams();
        p.livenessBps = 3_001;
        _refused(p, "livenessBps", 3_001, 0, 3_000);
    }

    function test_everyBoundOfChecksIsNamed() public {
        Params memory p = defaultParams();
        p.pMin = p.pMax + 1;
        _refused(p, "pMin", p.pMin, 0, p.pMax);
        p = defaultParams();
        p.scoreHalf = 0;
        _refused(p, "scoreHalf", 0, 1, 1_000_000);
        p = defaultParams();
        p.auditSteps = 5;
        _refused(p, "auditSteps", 5, 1, 4);
        p = defaultParams();
        p.delayBps = 10_001;
        _refused(p, "delayBps", 10_001, 0, 10_000);
        p = defaultParams();
        p.commitBondBps = 10_001;
        _refused(p, "commitBondBps", 10_001, 0, 10_000);
        p = defaultParams();
        p.clockSeconds = 0;
        _refused(p, "clockSeconds", 0, p.solveSeconds, 30 days);
        p = defaultParams();
        p.computeCost = 0;
        _refused(p, "computeCost", 0, 1, 1e26);
        p = defaultParams();
        p.outsideGain = 1e26 + 1;
        _refused(p, "outsideGain", 1e26 + 1, 0, 1e26);
        p = defaultParams();
        p.adversaryBps = 5_001;
        _refused(p, "adversaryBps", 5_001, 0, 5_000);
    }

    function _refused(Params memory params, bytes32 name, uint256 value, uint256 least, uint256 most)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.ParamOutOfBounds.selector, name, value, least, most)
        );
        registry.createSubnet(params, 0);
    }
}

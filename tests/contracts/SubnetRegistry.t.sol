// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry, Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {World} from "./support/World.sol";

contract SubnetRegistryTest is World {
    function test_anyoneOpensASubnetAndOwnsIt() public {
        vm.expectEmit(address(registry));
        emit ISubnetRegistry.SubnetCreated(2, stranger, keccak256("other"));
        vm.prank(stranger);
        uint32 id = registry.createSubnet(defaultParams(), keccak256("other"));
        vm.assertEq(id, 2, "ids count from one");
        vm.assertEq(registry.ownerOf(id), stranger, "owner");
        vm.assertEq(registry.metadataHashOf(id), keccak256("other"), "metadata");
        vm.assertEq(registry.latestVersion(id), 1, "version");
    }

    function test_versionsAreAddedAndOldOnesStay() public {
        Params memory params = defaultParams();
        params.minPrice = 77;
        vm.assertEq(registry.addParams(subnet, params), 2, "version");
        vm.assertEq(registry.paramsOf(subnet, 1).minPrice, PRICE, "first version");
        vm.assertEq(registry.paramsOf(subnet, 2).minPrice, 77, "second version");
    }

    function test_allFieldsAreKept() public view {
        vm.assertEq(
            keccak256(abi.encode(registry.paramsOf(subnet, 1))),
            keccak256(abi.encode(defaultParams())),
            "parameters"
        );
    }

    function test_onlyTheOwnerAddsVersions() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.NotSubnetOwner.selector, subnet, stranger));
        vm.prank(stranger);
        registry.addParams(subnet, defaultParams());
    }

    function test_unknownSubnetsAndVersionsAreNamed() public {
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownSubnet.selector, 9));
        registry.latestVersion(9);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 2));
        registry.paramsOf(subnet, 2);
        vm.expectRevert(abi.encodeWithSelector(ISubnetRegistry.UnknownVersion.selector, subnet, 0));
        registry.paramsOf(subnet, 0);
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

    function test_everyBoundIsNamed() public {
        Params memory p = defaultParams();
        p.minPrice = 0;
        _refused(p, "minPrice", 0, 1, 1e26);
        p = defaultParams();
        p.solverStake = 1e26 + 1;
        _refused(p, "solverStake", 1e26 + 1, 1, 1e26);
        p = defaultParams();
        p.verifierFee = 0;
        _refused(p, "verifierFee", 0, 1, 1e26);
        p = defaultParams();
        p.seatBond = 0;
        _refused(p, "seatBond", 0, 1, 1e26);
        p = defaultParams();
        p.exposure = 17;
        _refused(p, "exposure", 17, 1, 16);
        p = defaultParams();
        p.openSeconds = 0;
        _refused(p, "openSeconds", 0, 1, 30 days);
        p = defaultParams();
        p.solveSeconds = 30 days + 1;
        _refused(p, "solveSeconds", 30 days + 1, 1, 30 days);
        p = defaultParams();
        p.challengeSeconds = 0;
        _refused(p, "challengeSeconds", 0, 1, 30 days);
        p = defaultParams();
        p.commitSeconds = 0;
        _refused(p, "commitSeconds", 0, 1, 30 days);
        p = defaultParams();
        p.revealSeconds = 0;
        _refused(p, "revealSeconds", 0, 1, 30 days);
        p = defaultParams();
        p.appealSeconds = 0;
        _refused(p, "appealSeconds", 0, 1, 30 days);
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

    function _refused(Params memory params, bytes32 name, uint256 value, uint256 least, uint256 most)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(ISubnetRegistry.ParamOutOfBounds.selector, name, value, least, most)
        );
        registry.createSubnet(params, 0);
    }
}

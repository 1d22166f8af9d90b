// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Case, CaseStatus, ICourt} from "../../../contracts/interfaces/ICourt.sol";
import {Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {World} from "../support/World.sol";

contract CourtOpenCaseTest is World {
    function setUp() public override {
        super.setUp();
        stakeAll(1, 4);
    }

    function test_aDisputeTakesTheFeeAndHoldsTheTask() public {
        (bytes32 id, address solver) = submitted();
        Case memory about = Case(id, subnet, 1, solver, dora, 7, uint40(vm.getBlockTimestamp()));
        bytes32 caseId = keccak256(abi.encode(block.chainid, address(court), about));
        vm.assertEq(court.caseIdOf(about), caseId, "case id");
        commitToDispute(dora, id, 7, "salt");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory what = pinOf(7, "salt");
        vm.expectEmit(address(court));
        emit ICourt.CaseOpened(id, caseId, dora, 7, stateAt(7), stateAt(8), 0);
        vm.expectEmit(address(court));
        emit ICourt.RoundOpened(caseId, 1, 3, dora, uint96(30 * PAN), beacon.currentEpoch());
        pinAs(dora, id, what);
        vm.assertEq(free(dora), PURSE - 31 * PAN, "fee and deposit");
        vm.assertEq(statusOf(id), uint256(TaskStatus.Submitted), "status");
        vm.assertEq(taskAt(id).openCases, 1, "cases");
        vm.assertEq(uint256(round(caseId).status), uint256(CaseStatus.Active), "case");
        vm.assertEq(court.payerOf(about, 1), dora, "payer");
        vm.assertEq(court.feeOf(subnet, 1, 1), 30 * PAN, "fee of round 1");
        vm.assertEq(court.feeOf(subnet, 1, 2), 50 * PAN, "fee of round 2");
        vm.warp(deadlineOf(id) + 1);
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.CasesOpen.selector, id, 1));
        finalize(id);
        vm.assertEq(market.finalizeMany(termsOf[id], 1), 0, "skipped");
    }

    function test_anAccountBringsAStepOncePerSecond() public {
        (bytes32 id,) = submitted();
        bytes32 caseId = disputeAs(dora, id, 7);
        commitToDispute(dora, id, 7, "again");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory again = pinOf(7, "again");
        vm.expectRevert(abi.encodeWithSelector(ICourt.CaseExists.selector, caseId));
        vm.prank(dora);
        challenge.pin(termsOf[id], slotOf[id], submission(), again);
        disputeAs(buyer, id, 7);
        disputeAs(dora, id, 8);
        vm.assertEq(taskAt(id).openCases, 3, "cases");
    }

    function test_onlyTheChallengeOpensCases() public {
        Case memory about = Case(0, subnet, 1, stranger, stranger, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ICourt.NotChallenge.selector, stranger));
        vm.prank(stranger);
        court.openCase(about, 0, 0, 0, 0, 0);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {HookWorld} from "./HookWorld.sol";

contract CloseCaseTest is HookWorld {
    uint256 private constant FEE = 30 * PAN;
    uint32 private constant STEP = 7;

    function setUp() public override {
        super.setUp();
        _openCase();
        _openCase();
    }

    function _module() internal view override returns (address) {
        return address(court);
    }

    function _call(bytes32 id) internal view override returns (bytes memory) {
        return abi.encodeCall(ITaskMarket.closeCase, (termsOf[id], 0, STEP, Verdict.Valid, dora, FEE));
    }

    function test_aValidResultHasOneCaseLess() public {
        uint256 deadline = deadlineOf(_task);
        uint256 escrow = free(address(market));
        vm.assertEq(_close(Verdict.Valid), 0, "nothing to burn");
        vm.assertEq(taskAt(_task).openCases, 1, "cases");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "status");
        vm.assertEq(deadlineOf(_task), deadline, "challengeBy");
        vm.assertEq(free(address(market)), escrow, "escrow");
        vm.assertEq(staking.positionOf(subnet, Role.Solver, _solver).locked, 1, "the seat is at work");
    }

    function test_anInvalidResultConvictsItsSolver() public {
        uint256 had = free(dora);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskRejected(_task, _solver);
        vm.assertEq(_close(Verdict.Invalid), 30 * PAN, "to burn");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Rejected), "status");
        vm.assertEq(free(address(court)), 30 * PAN, "with the court");
        vm.assertEq(free(dora), had + 60 * PAN, "fee and bounty");
        vm.assertEq(free(buyer), PURSE + 10 * PAN, "price back, and the delay");
        vm.assertEq(free(address(market)), 0, "escrow");
        vm.assertEq(staked(_solver, Role.Solver), STAKE, "one of two seats");
        vm.assertTrue(staking.positionOf(subnet, Role.Solver, _solver).jailed, "jailed");
        vm.assertEq(staking.positionOf(subnet, Role.Solver, _solver).locked, 0, "no seat at work");
        vm.assertTrue(!market.isSubmitted(_task), "other cases are moot");
    }

    /// @dev The price repays the fee as far as it goes; what is left of it is burned.
    function test_aResultWhoseDataIsMissingIsVoid() public {
        uint256 had = free(dora);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskVoided(_task);
        vm.assertEq(_close(Verdict.Unavailable, 4 * PAN), PRICE - 4 * PAN, "to burn");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Voided), "status");
        vm.assertEq(free(dora), had + 4 * PAN, "fee");
        vm.assertEq(free(address(court)), PRICE - 4 * PAN, "with the court");
        vm.assertEq(free(buyer), PURSE - PRICE, "the buyer pays");
        vm.assertEq(staked(_solver, Role.Solver), 2 * STAKE, "both seats");
        vm.assertEq(staking.positionOf(subnet, Role.Solver, _solver).locked, 0, "no seat at work");
    }

    function test_aFeeAboveThePriceIsRepaidAsFarAsItGoes() public {
        uint256 had = free(dora);
        vm.assertEq(_close(Verdict.Unavailable, FEE), 0, "nothing to burn");
        vm.assertEq(free(dora), had + PRICE, "the price");
        vm.assertEq(free(address(market)), 0, "escrow");
    }

    function test_withoutAVerdictThereIsTimeForAnotherCaseOnce() public {
        vm.warp(deadlineOf(_task) + 50);
        uint40 until = uint40(vm.getBlockTimestamp() + 120);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskUndecided(_task, until);
        vm.assertEq(_close(Verdict.None), 0, "nothing to burn");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "status");
        vm.assertEq(deadlineOf(_task), until, "time");
        vm.warp(until - 1);
        vm.assertEq(_close(Verdict.None), 0, "nothing to burn");
        vm.assertEq(deadlineOf(_task), until, "not longer");
        vm.assertEq(taskAt(_task).openCases, 0, "cases");
    }

    function test_aStepThatIsFoundRightAfterAllHasItsTaskSubmittedAgain() public {
        _close(Verdict.None);
        uint256 deadline = deadlineOf(_task);
        vm.expectEmit(address(market));
        emit ITaskMarket.TaskDecided(_task);
        vm.assertEq(_close(Verdict.Valid), 0, "nothing to burn");
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "status");
        vm.assertEq(deadlineOf(_task), deadline, "no more time");
    }

    /// @dev Or whoever kept the verifiers from the wrong step would have them judge a right one.
    function test_anotherStepThatIsFoundRightDecidesNothing() public {
        _close(Verdict.None);
        _closeOf(STEP + 1, Verdict.Valid);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "status");
    }

    function test_ofSeveralStepsWithoutAVerdictAllHaveToBeFoundRight() public {
        for (uint32 step = STEP; step <= STEP + 1; ++step) {
            _closeOf(step, Verdict.None);
            _openCase();
        }
        _openCase();
        _openCase();
        _closeOf(STEP, Verdict.None); // a second time
        _closeOf(STEP, Verdict.Valid);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "one is left");
        _closeOf(STEP, Verdict.Valid);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "the other one");
        _openCase();
        _closeOf(STEP + 1, Verdict.Valid);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Submitted), "none is left");
    }

    function test_aTaskThatWasDecidedCanBeLeftUndecidedAgain() public {
        _close(Verdict.None);
        _close(Verdict.Valid);
        _openCase();
        _close(Verdict.None);
        vm.assertEq(statusOf(_task), uint256(TaskStatus.Undecided), "status");
    }

    function _close(Verdict verdict) private returns (uint256 toBurn) {
        return _close(verdict, FEE);
    }

    function _close(Verdict verdict, uint256 fee) private returns (uint256 toBurn) {
        vm.prank(address(court));
        return market.closeCase(termsOf[_task], 0, STEP, verdict, dora, fee);
    }

    function _closeOf(uint32 step, Verdict verdict) private {
        vm.prank(address(court));
        market.closeCase(termsOf[_task], 0, step, verdict, dora, FEE);
    }
}

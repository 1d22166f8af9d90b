// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../contracts/interfaces/ITaskMarket.sol";
import {Traders} from "./support/Traders.sol";
import {Test} from "./support/Vm.sol";

/// @dev Random markets: tokens are neither made nor lost, every module holds exactly what it owes, and at the
/// end everything finds its way home.
contract ConservationTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Traders private _traders;

    function setUp() public {
        _traders = new Traders();
        _traders.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_traders);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_traders), new bytes4[](1));
        targets[0].selectors[0] = Traders.step.selector;
    }

    function invariant_everyTokenIsAccountedFor() public view {
        _traders.checkConservation();
        _traders.checkModules();
    }

    /// @dev forge calls it at the end of every run.
    function afterInvariant() public {
        _traders.drain();
        _traders.checkConservation();
    }

    /// @dev The random market is worth something only if it gets everywhere.
    function test_theTradersReachEveryEntryPointAndEveryEnd() public {
        for (uint256 n = 0; n < 800; ++n) {
            _traders.step(uint256(keccak256(abi.encode("reach", n))));
            if (n % 100 == 0) _traders.checkModules();
        }
        string[22] memory calls = [
            "deposit",
            "withdraw",
            "stake",
            "requestUnstake",
            "withdrawStake",
            "fulfil",
            "createBatch",
            "cancel",
            "assign",
            "submit",
            "expire",
            "finalize",
            "openDispute",
            "drawSeats",
            "commitVote",
            "revealVote",
            "advance",
            "appeal",
            "settle",
            "moot",
            "closeSeat",
            "closeSeats"
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.assertGe(_traders.done(calls[i]), 1, calls[i]);
        }
        vm.assertGe(_traders.ruled(Verdict.None), 1, "no verdict");
        vm.assertGe(_traders.ruled(Verdict.Valid), 1, "valid");
        vm.assertGe(_traders.ruled(Verdict.Invalid), 1, "invalid");
        vm.assertGe(_traders.ruled(Verdict.Unavailable), 1, "unavailable");
        _traders.drain();
        vm.assertGe(_traders.ended(TaskStatus.Accepted), 1, "accepted");
        vm.assertGe(_traders.ended(TaskStatus.Rejected), 1, "rejected");
        vm.assertGe(_traders.ended(TaskStatus.Expired), 1, "expired");
        vm.assertGe(_traders.ended(TaskStatus.Cancelled), 1, "cancelled");
        vm.assertGe(_traders.ended(TaskStatus.Voided), 1, "voided");
    }
}

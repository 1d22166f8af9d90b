// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Action} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {CaseStatus, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Test} from "../support/Vm.sol";
import {Handler} from "./Handler.sol";
import {Moves} from "./Moves.sol";

/// @dev Random markets of eight actors. The handler checks everything after every step, see README.md.
contract InvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;

    function setUp() public {
        _handler = new Handler();
        _handler.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), new bytes4[](1));
        targets[0].selectors[0] = Handler.step.selector;
    }

    /// @dev A failed check of a step is a revert, and no step may revert.
    function invariant_everyStepKeepsAllOfThem() public view {
        _handler.taken(Moves.Kind.None);
    }

    /// @dev forge calls it at the end of every run.
    function afterInvariant() public {
        _handler.drain();
    }

    /// @dev Steps that reach nothing prove nothing.
    function test_everyActionAndEveryStateIsReached() public {
        for (uint256 n = 0; n < 4_500; ++n) {
            _handler.step(uint256(keccak256(abi.encode("reach", n))));
        }
        for (uint256 kind = 1; kind <= uint256(type(Moves.Kind).max); ++kind) {
            vm.assertGe(_handler.taken(Moves.Kind(kind)), 3, string.concat("action ", vm.toString(kind)));
        }
        for (uint256 status = 1; status <= uint256(type(TaskStatus).max); ++status) {
            string memory what = string.concat("status of a task ", vm.toString(status));
            vm.assertGe(_handler.tasksSeen(TaskStatus(status)), 1, what);
        }
        for (uint256 state = 1; state <= uint256(type(RoundState).max); ++state) {
            string memory what = string.concat("state of a round ", vm.toString(state));
            vm.assertGe(_handler.roundsSeen(RoundState(state)), 1, what);
        }
        for (uint256 verdict = 0; verdict <= uint256(type(Verdict).max); ++verdict) {
            string memory what = string.concat("verdict ", vm.toString(verdict));
            vm.assertGe(_handler.ruled(Verdict(verdict)), 1, what);
        }
        // in these markets a seed is told in the first block in which it can be: Fulfil is for lens/NextAction.t.sol
        for (uint256 action = uint256(Action.Assign); action <= uint256(Action.CloseSeats); ++action) {
            string memory what = string.concat("action of the lens ", vm.toString(action));
            vm.assertGe(_handler.namedByLens(Action(action)), 1, what);
        }
        vm.assertGe(_handler.casesSeen(CaseStatus.Settled), 1, "a settled case");
        vm.assertGe(_handler.casesSeen(CaseStatus.Moot), 1, "a moot case");
        for (uint256 state = 1; state <= uint256(type(CheckState).max); ++state) {
            string memory what = string.concat("state of a check ", vm.toString(state));
            vm.assertGe(_handler.checksSeen(CheckState(state)), 1, what);
        }
        vm.assertGe(_handler.emptyDraws(), 1, "a draw that finds nobody");
        _handler.drain();
    }
}

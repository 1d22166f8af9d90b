// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Action} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {CaseStatus, ICourt, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {IStateRegistry} from "../../../contracts/interfaces/IStateRegistry.sol";
import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ISubnetRegistry} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {TraceTree} from "../../../contracts/libraries/TraceTree.sol";
import {Markets} from "./Markets.sol";
import {Moves} from "./Moves.sol";
import {Reached} from "./Reached.sol";

/// @dev Half of the markets, and what any of them reaches.
contract InvariantsTest is Markets, Reached {
    string private _missing;

    function _series() internal pure override returns (uint256) {
        return 0;
    }

    /// @dev Steps that reach nothing prove nothing. An entry point that no action leads to fails here, whoever adds it.
    function test_everyEntryPointEveryActionAndEveryStateIsReached() public {
        listEntryPoints(_handler);
        for (uint256 n = 0; n < 4_500; ++n) {
            this.recordedStep(_handler, uint256(keccak256(abi.encode("reach", n))));
        }
        for (uint256 i = 0; i < entryPoints.length; ++i) {
            _need(entryPoints[i].isReached ? 1 : 0, 1, string.concat(entryPoints[i].name, " succeeded"));
        }
        for (uint256 kind = 1; kind <= uint256(type(Moves.Kind).max); ++kind) {
            _need(_handler.taken(Moves.Kind(kind)), 3, string.concat("action ", vm.toString(kind)));
        }
        for (uint256 status = 1; status <= uint256(type(TaskStatus).max); ++status) {
            string memory what = string.concat("status of a task ", vm.toString(status));
            _need(_handler.tasksSeen(TaskStatus(status)), 1, what);
        }
        for (uint256 state = 1; state <= uint256(type(RoundState).max); ++state) {
            string memory what = string.concat("state of a round ", vm.toString(state));
            _need(_handler.roundsSeen(RoundState(state)), 1, what);
        }
        for (uint256 verdict = 0; verdict <= uint256(type(Verdict).max); ++verdict) {
            string memory what = string.concat("verdict ", vm.toString(verdict));
            _need(_handler.ruled(Verdict(verdict)), 1, what);
        }
        // in these markets a seed is told in the first block in which it can be: Fulfil is for lens/NextAction.t.sol
        for (uint256 action = uint256(Action.Assign); action <= uint256(Action.CloseSeats); ++action) {
            string memory what = string.concat("action of the lens ", vm.toString(action));
            _need(_handler.namedByLens(Action(action)), 1, what);
        }
        _need(_handler.casesSeen(CaseStatus.Settled), 1, "a settled case");
        _need(_handler.casesSeen(CaseStatus.Moot), 1, "a moot case");
        for (uint256 state = 1; state <= uint256(type(CheckState).max); ++state) {
            string memory what = string.concat("state of a check ", vm.toString(state));
            _need(_handler.checksSeen(CheckState(state)), 1, what);
        }
        _need(_handler.tiesSeen(), 3, "a tie that can be appealed");
        _need(_handler.emptyDraws(), 1, "a draw that finds nobody");
        _needRefusals();
        vm.assertEq(bytes(_missing).length, 0, _missing);
        _handler.drain();
    }

    /// @dev Each of them at least once.
    function _needRefusals() private {
        bytes4[16] memory selectors = [
            IStaking.NothingPending.selector,
            IStaking.StillCoolingDown.selector,
            IStaking.NotEnoughSeats.selector,
            ISubnetRegistry.BondNotDue.selector,
            ISubnetRegistry.SubnetIsPaused.selector,
            ISubnetRegistry.SubnetIsClosed.selector,
            ITaskMarket.NotSolver.selector,
            ITaskMarket.CasesOpen.selector,
            IStepChallenge.NotCommitted.selector,
            TraceTree.NotInTrace.selector,
            IStateRegistry.TaskNotAccepted.selector,
            IStateRegistry.TaskOfAnotherRound.selector,
            IStateRegistry.WrongBaseRoot.selector,
            ICourt.DeadlinePassed.selector,
            ICourt.WrongState.selector,
            ICourt.WrongOpening.selector
        ];
        for (uint256 i = 0; i < selectors.length; ++i) {
            _need(_handler.refusals(selectors[i]), 1, string.concat("refusal ", vm.toString(i)));
        }
    }

    /// @dev All that is missing in one message.
    function _need(uint256 count, uint256 least, string memory what) private {
        if (count < least) _missing = string.concat(_missing, what, ": ", vm.toString(count), "; ");
    }
}

/// @dev The other half.
contract OtherMarketsTest is Markets {
    function _series() internal pure override returns (uint256) {
        return 1;
    }
}

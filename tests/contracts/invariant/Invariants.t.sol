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
import {Test} from "../support/Vm.sol";
import {Handler} from "./Handler.sol";
import {Moves} from "./Moves.sol";

/// @dev Random markets of nine actors. The handler checks everything after every step, see README.md.
contract InvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;
    string private _missing;

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

    /// @dev Steps that reach nothing prove nothing. An entry point that no action leads to fails here, whoever adds it.
    function test_everyEntryPointEveryActionAndEveryStateIsReached() public {
        _expectEveryEntryPoint();
        for (uint256 n = 0; n < 4_500; ++n) {
            _handler.step(uint256(keccak256(abi.encode("reach", n))));
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

    /// @dev What is called where, by the ABIs of the artifacts.
    function _expectEveryEntryPoint() private {
        (string[12] memory names, address[12] memory places) = _handler.deployed();
        uint256 count = 0;
        for (uint256 i = 0; i < names.length; ++i) {
            string memory json = vm.readFile(_artifactOf(names[i]));
            string[] memory signatures = vm.parseJsonKeys(json, ".methodIdentifiers");
            string[] memory changing = _changing(json);
            for (uint256 n = 0; n < changing.length; ++n) {
                bytes4 selector = _selectorOf(changing[n], signatures);
                vm.expectCall(places[i], abi.encodePacked(selector));
                ++count;
            }
        }
        vm.assertGe(count, 60, "entry points");
    }

    /// @dev As foundry.toml says where artifacts lie.
    function _artifactOf(string memory name) private view returns (string memory) {
        bool isCoverage = keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", "default"))) == keccak256("coverage");
        string memory folder = isCoverage ? "build/coverage/out/" : "out/";
        return string.concat(folder, name, ".sol/", name, ".json");
    }

    /// @dev Names of the functions that may change something.
    function _changing(string memory json) private pure returns (string[] memory names) {
        string memory functions = ".abi[?(@.type == 'function')]";
        names = abi.decode(vm.parseJson(json, string.concat(functions, ".name")), (string[]));
        bytes memory kinds = vm.parseJson(json, string.concat(functions, ".stateMutability"));
        string[] memory mutabilities = abi.decode(kinds, (string[]));
        uint256 count = 0;
        for (uint256 i = 0; i < names.length; ++i) {
            bytes32 kind = keccak256(bytes(mutabilities[i]));
            if (kind != keccak256("view") && kind != keccak256("pure")) names[count++] = names[i];
        }
        assembly ("memory-safe") {
            mstore(names, count)
        }
    }

    function _selectorOf(string memory name, string[] memory signatures) private pure returns (bytes4) {
        bytes memory head = abi.encodePacked(name, "(");
        for (uint256 i = 0; i < signatures.length; ++i) {
            bytes memory signature = bytes(signatures[i]);
            uint256 n = 0;
            while (n < head.length && n < signature.length && signature[n] == head[n]) ++n;
            if (n == head.length) return bytes4(keccak256(signature));
        }
        revert(name);
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

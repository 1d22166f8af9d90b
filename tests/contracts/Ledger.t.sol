// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Role} from "../../contracts/interfaces/IStaking.sol";
import {Submission} from "../../contracts/interfaces/ITaskMarket.sol";
import {AuditWorld} from "./audit/AuditWorld.sol";

/// @dev What each story leaves in whose pocket, in tokens. This test prints the table that stands in docs/protocol.md, and
/// fails where that has another one; `npm run ledger` writes it there.
contract LedgerTest is AuditWorld {
    // forge-lint: disable-next-line(pascal-case-struct,mixed-case-function)
    event log(string text);

    struct Purses {
        uint256 solver;
        uint256 buyer;
        uint256 disputer;
        uint256 panel;
        uint256 burned;
    }

    string private constant HEAD =
        "| story | solver | buyer | disputer | verifiers | burned | those who cheat, together |\n|---|---|---|---|---|---|---|\n";

    function test_theTableInTheProtocolIsWhatHappens() public {
        string memory table = HEAD;
        function() returns (string memory)[19] memory stories = [
            _honest,
            _honestAndChecked,
            _cheatChecked,
            _silentInACheck,
            _cheatDisputed,
            _frivolous,
            _foundRightAfterAll,
            _appealFlips,
            _appealTied,
            _oneVerifierAbsent,
            _allVerifiersAbsent,
            _solverAbsent,
            _nobodySolves,
            _checkerMakesItUp,
            _leavesWithheld,
            _leavesShown,
            _selfDispute,
            _selfDisputeWithBuyer,
            _selfDisputeThatWins
        ];
        for (uint256 i = 0; i < stories.length; ++i) {
            uint256 state = vm.snapshotState();
            table = string.concat(table, stories[i](), "\n");
            vm.assertTrue(vm.revertToState(state), "back to the start");
        }
        emit log(table);
        vm.assertTrue(
            vm.contains(vm.readFile("docs/protocol.md"), table),
            "docs/protocol.md has another table: npm run ledger"
        );
    }

    // ------------------------------------------------------------------------------------ stories

    function _honest() private returns (string memory) {
        (bytes32 id, address solver) = submitted();
        Purses memory start = _start(solver);
        _finalize(id);
        return _row("an honest task", start, solver, 0);
    }

    function _honestAndChecked() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _checked(true);
        _finalize(id);
        return _row("an honest task that is drawn for a check", start, solver, 0);
    }

    function _cheatChecked() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _checked(false);
        bytes32 caseId = disputeAs(checkOf(id).checker, id, 7);
        _vote(caseId, Verdict.Invalid);
        settle(caseId);
        closeCheck(id);
        return _row("a cheat that is drawn for a check; the checker disputes", start, solver, 1);
    }

    function _silentInACheck() private returns (string memory) {
        (bytes32 id, address solver) = submitted();
        Purses memory start = _start(solver);
        nextEpoch();
        drawChecker(id);
        commitCheck(id, "answers");
        vm.warp(checkOf(id).deadline + 1);
        closeCheck(id);
        return _row("a cheat that is drawn for a check and shows nothing", start, solver, 1);
    }

    function _checkerMakesItUp() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _checked(false);
        vm.warp(deadlineOf(id) + 1);
        closeCheck(id);
        finalize(id);
        return
            _row(
                "an honest task that is drawn for a check; the checker makes up its answers", start, solver, 0
            );
    }

    function _cheatDisputed() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Invalid);
        settle(id);
        return _row("a cheat, disputed", start, solver, 1);
    }

    function _frivolous() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Valid);
        settle(id);
        _finalize(cases_[id].taskId);
        return _row("an honest task, disputed all the same", start, solver, 0);
    }

    /// @dev No panel came about in the first case; the second is about the same step.
    function _foundRightAfterAll() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        vm.warp(round(id).deadline + 1);
        advance(id);
        closeAll(id);
        id = disputeAs(dora, cases_[id].taskId, 7);
        _vote(id, Verdict.Valid);
        settle(id);
        _finalize(cases_[id].taskId);
        return _row(
            "the same, after a first case about the same step that no panel was found for", start, solver, 0
        );
    }

    function _appealFlips() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Valid);
        vm.prank(dora);
        appeal(id);
        _vote(id, Verdict.Invalid);
        settle(id);
        return _row(
            "a cheat that the first panel of three believes and the second of five does not", start, solver, 1
        );
    }

    function _appealTied() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Valid);
        vm.prank(dora);
        appeal(id);
        seatPanel(id);
        Verdict[] memory verdicts = unanimous(5, Verdict.Invalid);
        (verdicts[0], verdicts[1], verdicts[2]) = (Verdict.Valid, Verdict.Valid, Verdict.Unavailable);
        vote(id, verdicts);
        vm.prank(dora);
        appeal(id);
        _vote(id, Verdict.Invalid);
        closeAll(id);
        return _row(
            "the same, but three of the five tie the second panel; the third, of seven, does not believe it",
            start,
            solver,
            1
        );
    }

    function _oneVerifierAbsent() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        seatPanel(id);
        vote(id, three(Verdict.Invalid, Verdict.Invalid, Verdict.None));
        settle(id);
        return _row("a cheat, disputed; one of three verifiers stays away", start, solver, 1);
    }

    function _allVerifiersAbsent() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        for (uint256 panel = 0; panel < 2; ++panel) {
            seatPanel(id);
            vote(id, unanimous(3, Verdict.None));
        }
        closeAll(id);
        _finalize(cases_[id].taskId);
        return
            _row("a dispute; all verifiers stay away, and those drawn in their place too", start, solver, 0);
    }

    function _solverAbsent() private returns (string memory) {
        (bytes32 id, address solver) = assigned();
        Purses memory start = _start(solver);
        vm.warp(deadlineOf(id) + 1);
        expire(id);
        pass(1 days);
        expire(id);
        return _row("a solver that delivers nothing", start, solver, 0);
    }

    /// @dev One account is the only solver, and is drawn each time.
    function _nobodySolves() private returns (string memory) {
        stake(workers[0], Role.Solver, 2);
        for (uint256 i = 1; i < workers.length; ++i) {
            vm.prank(workers[i]);
            staking.requestUnstake(subnet, Role.Solver, 2);
        }
        (bytes32 id, address solver) = assigned();
        Purses memory start = _start(solver);
        for (uint256 attempt = 1; attempt <= 3; ++attempt) {
            if (attempt > 1) {
                nextEpoch();
                assign(id);
            }
            vm.warp(deadlineOf(id) + 1);
            expire(id);
        }
        return _row("a task that three solvers in turn do not solve", start, solver, 0);
    }

    /// @dev "Disputer" is whoever demands.
    function _leavesWithheld() private returns (string memory) {
        (bytes32 id, address solver) = submitted();
        Purses memory start = _start(solver);
        vm.warp(_demand(id) + 1);
        challenge.closeDemand(termsOf[id], 0);
        return _row("a cheat that shows its trace to nobody", start, solver, 1);
    }

    function _leavesShown() private returns (string memory) {
        (bytes32 id, address solver) = submitted();
        Purses memory start = _start(solver);
        vm.warp(_demand(id));
        // hashing is a call, which would take the prank
        Submission memory made = submissionOf(id);
        bytes32[] memory leaves = leavesOf(id);
        vm.prank(solver);
        challenge.publishLeaves(termsOf[id], 0, made, leaves);
        _finalize(id);
        return _row("an honest task whose trace is demanded and shown", start, solver, 0);
    }

    function _demand(bytes32 id) private returns (uint256 answerBy) {
        Submission memory made = submissionOf(id);
        vm.prank(dora);
        challenge.demandLeaves(termsOf[id], 0, made);
        return challenge.demandOf(id).answerBy;
    }

    function _selfDispute() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Invalid);
        settle(id);
        return _row("a cheat that disputes itself by a second account", start, solver, 2);
    }

    function _selfDisputeWithBuyer() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Invalid);
        settle(id);
        return _row("the same, and the buyer is a third", start, solver, 3);
    }

    function _selfDisputeThatWins() private returns (string memory) {
        (bytes32 id, address solver, Purses memory start) = _disputed();
        _vote(id, Verdict.Valid);
        settle(id);
        _finalize(cases_[id].taskId);
        return _row("a cheat that disputes itself and is believed", start, solver, 2);
    }

    // ------------------------------------------------------------------------------------ books

    /// @param right whether the checker answers as the solver's trace does
    function _checked(bool right) private returns (bytes32 id, address solver, Purses memory start) {
        (id, solver) = submitted();
        start = _start(solver);
        nextEpoch();
        drawChecker(id);
        bytes32 answers = right ? answersOf(id) : othersOf(id);
        commitCheck(id, answers);
        openAnswers(id);
        revealCheck(id, answers);
    }

    function _disputed() private returns (bytes32 id, address solver, Purses memory start) {
        (id, solver) = submitted();
        start = _start(solver);
        id = disputeAs(dora, id, 7);
    }

    function _vote(bytes32 id, Verdict verdict) private {
        seatPanel(id);
        vote(id, unanimous(round(id).size, verdict));
    }

    function _finalize(bytes32 taskId) private {
        vm.warp(deadlineOf(taskId) + 1);
        finalize(taskId);
    }

    /// @dev Before the price went into escrow and the seat into the task.
    function _start(address solver) private view returns (Purses memory purses) {
        purses = _purses(solver);
        purses.buyer += PRICE;
    }

    function _purses(address solver) private view returns (Purses memory) {
        uint256 panel = 0;
        for (uint256 i = 0; i < workers.length; ++i) {
            if (workers[i] != solver) panel += wealth(workers[i]);
        }
        return Purses(wealth(solver), wealth(buyer), wealth(dora), panel, vault.totalBurned());
    }

    /// @param gang 0: nobody cheats; 1: the solver; 2: and the disputer; 3: and the buyer
    function _row(string memory name, Purses memory start, address solver, uint256 gang)
        private
        view
        returns (string memory)
    {
        Purses memory end = _purses(solver);
        int256[5] memory change = [
            _change(start.solver, end.solver),
            _change(start.buyer, end.buyer),
            _change(start.disputer, end.disputer),
            _change(start.panel, end.panel),
            _change(start.burned, end.burned)
        ];
        vm.assertTrue(
            change[0] + change[1] + change[2] + change[3] + change[4] == 0, "nothing is made or lost"
        );
        string memory row = string.concat("| ", name);
        for (uint256 i = 0; i < 5; ++i) {
            row = string.concat(row, " | ", _tokens(change[i]));
        }
        int256 together = change[0] + (gang > 1 ? change[2] : int256(0)) + (gang > 2 ? change[1] : int256(0));
        return string.concat(row, " | ", gang == 0 ? "" : _tokens(together), " |");
    }

    function _change(uint256 start, uint256 end) private pure returns (int256) {
        return int256(end) - int256(start);
    }

    /// @dev To the unit: what is no whole number of tokens shows all its digits.
    function _tokens(int256 amount) private pure returns (string memory) {
        if (amount == 0) return "0";
        uint256 size = uint256(amount < 0 ? -amount : amount);
        string memory digits = vm.toString(size / PAN);
        if (size % PAN > 0) digits = string.concat(digits, " + ", vm.toString(size % PAN), " units");
        return string.concat(amount < 0 ? "-" : "+", digits);
    }
}

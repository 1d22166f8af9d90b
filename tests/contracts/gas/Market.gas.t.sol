// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Case, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {Submission, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {CheckHash} from "../../../contracts/libraries/CheckHash.sol";
import {Opening} from "../../../contracts/interfaces/IAudit.sol";
import {GasWorld} from "./GasWorld.sol";

/// @dev A task from escrow to payment, alone and in a batch, and a dispute about one step, among few and among many.
/// One task went before, so that accounts and their vault balances are not new.
abstract contract MarketGas is GasWorld {
    uint256 private constant LEAVES = 512;

    bytes32[] private _nodes;

    function stakers() internal pure virtual returns (uint256);

    function setUp() public override {
        super.setUp();
        crowd(stakers(), Role.Solver);
        crowd(stakers(), Role.Verifier);
        postOne();
    }

    function test_undisputedTask() public {
        bytes32 id = _create("createBatch, 1 task", 1)[0];
        nextEpoch();
        assign(id);
        _snapshot("assign");
        address solver = taskAt(id).solver;
        fund(solver, 1); // an account that was paid before
        submitAs(solver, id);
        _snapshot("submit");
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        _snapshot("finalize");
    }

    function test_batchOf16() public {
        bytes32[] memory ids = _create("createBatch, 16 tasks", 16);
        nextEpoch();
        Terms memory posted = termsOf[ids[0]];
        market.assignMany(posted, posted.slots);
        _snapshot("assignMany, 16 tasks");
        for (uint256 i = 0; i < 16; ++i) {
            address solver = taskAt(ids[i]).solver;
            fund(solver, 1);
            submitAs(solver, ids[i]);
        }
        _snapshot("submit, in a batch");
        vm.warp(deadlineOf(ids[0]) + 1);
        market.finalizeMany(posted, posted.slots);
        _snapshot("finalizeMany, 16 tasks");
    }

    function test_disputeOverOneStep() public {
        _plant();
        _dispute(256); // its pin is the shortest: the two leaves are siblings
    }

    /// @dev As most checks go: equal answers.
    function test_check() public {
        Params memory params = defaultParams();
        (params.computeCost, params.stepAuditRate) = (1, type(uint32).max);
        useParams(params);
        (bytes32 id, address solver) = submitted();
        nextEpoch();
        audit.drawChecker(termsOf[id], 0);
        _snapshot("drawChecker");
        address checker = audit.checkOf(id).checker;
        fund(checker, 1);
        bytes32 answers = answersOf(id);
        bytes32 commitment = CheckHash.hash(address(audit), id, checker, answers, 0);
        vm.prank(checker);
        audit.commitCheck(termsOf[id], 0, commitment);
        _snapshot("commitCheck");
        Submission memory made = submissionOf(id);
        Opening[] memory openings = openingsOf(id);
        vm.prank(solver);
        audit.openAnswers(termsOf[id], 0, made, openings);
        _snapshot("openAnswers, 2 of 64 steps");
        audit.revealCheck(termsOf[id], 0, answers, 0);
        _snapshot("revealCheck, passed");
    }

    /// @dev Two paths that meet under the root.
    function test_theLongestPin() public {
        _plant();
        (bytes32 id, Submission memory submitted_) = _submitted();
        _pin(id, submitted_, 255);
        _snapshot("pin over 512 leaves, longest proof");
    }

    /// @dev As `post`, which asks for the ids afterwards.
    function _create(string memory name, uint8 count) private returns (bytes32[] memory ids) {
        Terms memory posted = terms((1 << uint256(count)) - 1);
        posted.salt = 1_000_000;
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(posted);
        _snapshot(name);
        ids = new bytes32[](count);
        for (uint8 slot = 0; slot < count; ++slot) {
            ids[slot] = market.taskIdOf(batchId, slot);
            (termsOf[ids[slot]], slotOf[ids[slot]]) = (posted, slot);
        }
    }

    function _dispute(uint32 step) private {
        (bytes32 id, Submission memory submitted_) = _submitted();
        bytes32 caseId = _pin(id, submitted_, step);
        _snapshot("pin over 512 leaves, shortest proof");
        nextEpoch();
        drawSeats(caseId);
        _snapshot("drawSeats, 3 seats");
        for (uint8 seat = 0; seat < 3; ++seat) {
            fund(voter(caseId, seat), 1);
            commit(caseId, seat, Verdict.Invalid);
            if (seat == 0) _snapshot("commitVote");
        }
        _snapshot("commitVote, the last");
        for (uint8 seat = 0; seat < 3; ++seat) {
            reveal(caseId, seat, Verdict.Invalid);
            if (seat == 0) _snapshot("revealVote");
        }
        _snapshot("revealVote, the last");
        vm.warp(round(caseId).deadline + 1);
        settleCase(caseId);
        _snapshot("settle, a conviction");
        court.closeSeats(cases_[caseId], 1);
        _snapshot("closeSeats, 3 seats");
    }

    function _submitted() private returns (bytes32 id, Submission memory submitted_) {
        Terms memory posted = terms(1);
        posted.innerSteps = uint32(LEAVES - 1);
        posted.salt = 1_000_001;
        vm.prank(buyer);
        id = market.taskIdOf(market.createBatch(posted), 0);
        termsOf[id] = posted;
        nextEpoch();
        assign(id);
        submitted_ = submission();
        submitted_.traceRoot = _nodes[1];
        vm.prank(taskAt(id).solver);
        market.submit(posted, 0, submitted_);
    }

    function _pin(bytes32 id, Submission memory submitted_, uint32 step) private returns (bytes32 caseId) {
        bytes32 salt = keccak256("salt of a commitment");
        commitToDispute(dora, id, step, salt);
        _snapshot("commitDispute");
        vm.roll(vm.getBlockNumber() + 1);
        Pin memory what =
            Pin(step, stateAt(step), stateAt(step + 1), _siblings(step), keccak256("blob"), salt);
        address solver = taskAt(id).solver;
        vm.prank(dora);
        caseId = challenge.pin(termsOf[id], 0, submitted_, what);
        cases_[caseId] = Case(id, subnet, 1, solver, dora, step, uint40(vm.getBlockTimestamp()));
    }

    function _plant() private {
        _nodes = new bytes32[](2 * LEAVES);
        for (uint32 i = 0; i < LEAVES; ++i) {
            _nodes[LEAVES + i] = keccak256(abi.encodePacked(bytes1(0x00), i, stateAt(i)));
        }
        for (uint256 n = LEAVES - 1; n > 0; --n) {
            _nodes[n] = keccak256(abi.encodePacked(bytes1(0x01), _nodes[2 * n], _nodes[2 * n + 1]));
        }
    }

    function _siblings(uint32 step) private view returns (bytes32[] memory siblings) {
        siblings = new bytes32[](18);
        uint256 count = 0;
        uint256 place = LEAVES + step;
        for (; place % 2 == 1; place /= 2) {
            siblings[count++] = _nodes[place - 1];
            siblings[count++] = _nodes[place + 2];
        }
        for (place /= 2; place > 1; place /= 2) {
            siblings[count++] = _nodes[place ^ 1];
        }
        assembly ("memory-safe") {
            mstore(siblings, count)
        }
    }

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("market", string.concat(name, "; stakers: ", vm.toString(stakers())));
    }
}

/// forge-config: default.isolate = true
contract MarketGas200 is MarketGas {
    function stakers() internal pure override returns (uint256) {
        return 200;
    }
}

/// forge-config: default.isolate = true
contract MarketGas10000 is MarketGas {
    function stakers() internal pure override returns (uint256) {
        return 10_000;
    }
}

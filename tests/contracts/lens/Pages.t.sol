// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {AccountView, Action, RoundView, TaskView} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {TaskStatus, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {LensWorld} from "../support/LensWorld.sol";

contract PagesTest is LensWorld {
    function setUp() public override {
        super.setUp();
        stakeAll(4, 3);
    }

    function test_tasksOfABatch() public {
        bytes32[] memory ids = post(3);
        nextEpoch();
        assign(ids[1]);
        submitAs(taskAt(ids[1]).solver, ids[1]);
        TaskView[] memory tasks = lens.tasksOf(termsOf[ids[0]], 0, 10);
        vm.assertEq(tasks.length, 3, "tasks");
        for (uint8 slot = 0; slot < 3; ++slot) {
            vm.assertEq(tasks[slot].taskId, ids[slot], "id");
            vm.assertEq(tasks[slot].slot, slot, "slot");
            vm.assertEq(
                keccak256(abi.encode(tasks[slot].task)), keccak256(abi.encode(taskAt(ids[slot]))), "task"
            );
            vm.assertEq(
                keccak256(abi.encode(tasks[slot].next)), keccak256(abi.encode(nextOf(ids[slot]))), "next"
            );
            vm.assertEq(tasks[slot].submissionHash, market.submissionHash(ids[slot]), "submission");
        }
        vm.assertEq(uint256(tasks[1].next.action), uint256(Action.Finalize), "next of a result");
        vm.assertTrue(tasks[1].submissionHash != 0, "a result");
    }

    function test_tasksOfAPart() public {
        Terms memory posted = terms(1 << 3 | 1 << 7 | 1 << 200);
        vm.prank(buyer);
        market.createBatch(posted);
        TaskView[] memory tasks = lens.tasksOf(posted, 4, 10);
        vm.assertEq(tasks.length, 2, "from slot 4");
        vm.assertEq(tasks[0].slot, 7, "slot");
        vm.assertEq(tasks[1].slot, 200, "slot");
        tasks = lens.tasksOf(posted, 0, 2);
        vm.assertEq(tasks.length, 2, "the first two");
        vm.assertEq(tasks[1].slot, 7, "slot");
        vm.assertEq(lens.tasksOf(posted, 201, 2).length, 0, "beyond");
    }

    function test_tasksOfABatchThatNobodyPosted() public view {
        TaskView[] memory tasks = lens.tasksOf(terms(1), 0, 10);
        vm.assertEq(tasks.length, 1, "tasks");
        vm.assertEq(uint256(tasks[0].task.status), uint256(TaskStatus.None), "status");
        vm.assertEq(uint256(tasks[0].next.action), uint256(Action.None), "next");
    }

    function test_roundsOfACase() public {
        (bytes32 id,) = voting();
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(workers[0]);
        appeal(id);
        RoundView[] memory rounds = lens.roundsOf(cases_[id], 0, 10);
        vm.assertEq(rounds.length, 2, "rounds");
        vm.assertEq(rounds[0].payer, dora, "payer of the first");
        vm.assertEq(rounds[1].payer, workers[0], "payer of the second");
        vm.assertEq(rounds[0].seats.length, 3, "seats");
        vm.assertEq(rounds[0].seats[2].voter, court.seatOf(id, 1, 2).voter, "voter");
        vm.assertEq(uint256(rounds[0].seats[2].verdict), uint256(Verdict.Valid), "verdict");
        vm.assertEq(rounds[1].seats.length, 5, "seats");
        vm.assertEq(rounds[1].seats[4].voter, address(0), "nobody yet");

        rounds = lens.roundsOf(cases_[id], 2, 10);
        vm.assertEq(rounds.length, 1, "from the second");
        vm.assertEq(rounds[0].round.number, 2, "number");
        rounds = lens.roundsOf(cases_[id], 1, 1);
        vm.assertEq(rounds.length, 1, "the first");
        vm.assertEq(rounds[0].round.number, 1, "number");
        vm.assertEq(lens.roundsOf(cases_[id], 3, 1).length, 0, "no third");
        vm.assertEq(lens.roundsOf(cases_[0], 1, 1).length, 0, "no case");
    }

    function test_accounts() public view {
        address[] memory who = new address[](2);
        (who[0], who[1]) = (workers[0], stranger);
        AccountView[] memory accounts = lens.accountsOf(subnet, who);
        vm.assertEq(accounts[0].account, workers[0], "account");
        vm.assertEq(accounts[0].balance, free(workers[0]), "balance");
        vm.assertEq(accounts[0].solver.amount, staked(workers[0], Role.Solver), "solver");
        vm.assertEq(accounts[0].solver.seats, 4, "seats");
        vm.assertEq(accounts[0].verifier.seats, 3, "seats");
        vm.assertEq(accounts[1].solver.amount, 0, "a stranger");
    }
}

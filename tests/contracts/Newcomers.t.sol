// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Role} from "../../contracts/interfaces/IStaking.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "../../contracts/interfaces/ITaskMarket.sol";
import {AuditWorld} from "./audit/AuditWorld.sol";

/// @dev Tasks are posted under one version of the parameters, then a newer one comes into force, and somebody stakes who trusts
/// the newer one: with fifty times the seats of those who were there, so that any draw that could hit a newcomer does.
contract NewcomersTest is AuditWorld {
    uint32 private constant CROWD = 800;

    address private _newcomer;

    function setUp() public override {
        super.setUp();
        _newcomer = actor("a newcomer");
        fund(_newcomer, CROWD * (STAKE + 4 * BOND));
    }

    function test_aNewcomerDoesNotSolveAnOlderTask() public {
        bytes32[] memory ids = post(8);
        _newVersionAndNewcomer();
        for (uint256 i = 0; i < ids.length; ++i) {
            assign(ids[i]);
            _isNoNewcomer(taskAt(ids[i]).solver);
        }
    }

    function test_aNewcomerSitsInNoPanelOfAnOlderTask() public {
        (bytes32 id,) = disputed();
        _newVersionAndNewcomer();
        drawSeats(id);
        _areNoNewcomers(id);
        vote(id, unanimous(3, Verdict.Valid));
        vm.prank(dora);
        appeal(id);
        nextEpoch();
        drawSeats(id);
        _areNoNewcomers(id);
    }

    function test_aNewcomerReplacesNobodyInAPanelOfAnOlderTask() public {
        (bytes32 id,) = voting();
        vote(id, three(Verdict.Valid, Verdict.None, Verdict.None));
        _newVersionAndNewcomer();
        drawSeats(id);
        _areNoNewcomers(id);
    }

    function test_aNewcomerChecksNoOlderTask() public {
        (bytes32 id,) = submitted();
        _newVersionAndNewcomer();
        _isNoNewcomer(drawChecker(id));
        pass(COMMIT_SECONDS + 1);
        closeCheck(id);
        nextEpoch();
        _isNoNewcomer(drawChecker(id));
    }

    function test_aNewcomerIsDrawnForTheTasksOfItsVersion() public {
        _newVersionAndNewcomer();
        (bytes32 id, address solver) = assigned();
        vm.assertEq(solver, _newcomer, "the many seats solve");
        _unstake(_newcomer, CROWD); // as a solver: nobody checks itself
        nextEpoch();
        (id, solver) = submitted();
        nextEpoch();
        vm.assertEq(drawChecker(id), _newcomer, "and check");
    }

    /// @dev Who left was told of the newer version, and comes back under it.
    function test_whoComesBackIsANewcomer() public {
        bytes32[] memory ids = post(6);
        address first = workers[0];
        _unstake(first, 2);
        useParams(registry.paramsOf(subnet, 2));
        fund(first, CROWD * STAKE);
        stake(first, Role.Solver, CROWD);
        nextEpoch();
        for (uint256 i = 0; i < ids.length; ++i) {
            assign(ids[i]);
            vm.assertTrue(taskAt(ids[i]).solver != first, "drawn for a task of before");
        }
        (, address solver) = assigned();
        vm.assertEq(solver, first, "drawn for a task of its version");
    }

    /// @dev Whoever stays was bound by the older tasks before, with as many seats as it likes.
    function test_whoStaysAndAddsSeatsIsNone() public {
        bytes32 id = postOne();
        useParams(registry.paramsOf(subnet, 2));
        fund(workers[0], CROWD * STAKE);
        stake(workers[0], Role.Solver, CROWD);
        nextEpoch();
        assign(id);
        vm.assertEq(taskAt(id).solver, workers[0], "its many seats are drawn");
    }

    /// @dev Nobody is there who agreed to it: the price goes back.
    function test_whereNobodyOldIsLeftTheTaskExpires() public {
        bytes32 id = postOne();
        for (uint256 i = 0; i < workers.length; ++i) {
            _unstake(workers[i], 2);
        }
        _newVersionAndNewcomer();
        vm.expectRevert(abi.encodeWithSelector(ITaskMarket.NoSolverFree.selector, id, beacon.currentEpoch()));
        assign(id);
        pass(OPEN_SECONDS + 1);
        uint256 before = free(buyer);
        expire(id);
        vm.assertEq(free(buyer), before + PRICE, "price back");
    }

    /// @dev A worse version after a better one binds whoever came for the better one from its notice on, and not before.
    function test_eachVersionHasItsOwnNewcomers() public {
        bytes32 first = postOne();
        useParams(registry.paramsOf(subnet, 2));
        address between = actor("who came in between");
        fund(between, CROWD * STAKE);
        stake(between, Role.Solver, CROWD);
        bytes32 second = postOne();
        _newVersionAndNewcomer();
        assign(first);
        assign(second);
        _isNoNewcomer(taskAt(first).solver);
        vm.assertTrue(taskAt(first).solver != between, "drawn for a task of before");
        vm.assertEq(taskAt(second).solver, between, "not drawn for a task of its version");
    }

    function _unstake(address account, uint32 seats) private {
        vm.prank(account);
        staking.requestUnstake(subnet, Role.Solver, seats);
    }

    function _newVersionAndNewcomer() private {
        Params memory better = registry.paramsOf(subnet, registry.currentVersion(subnet));
        better.livenessBps = 0;
        useParams(better);
        stake(_newcomer, Role.Solver, CROWD);
        stake(_newcomer, Role.Verifier, CROWD);
        nextEpoch();
    }

    function _isNoNewcomer(address drawn_) private view {
        vm.assertTrue(drawn_ != address(0), "somebody is drawn");
        vm.assertTrue(drawn_ != _newcomer, "a newcomer is drawn");
    }

    function _areNoNewcomers(bytes32 id) private view {
        for (uint8 seat = 0; seat < round(id).size; ++seat) {
            _isNoNewcomer(voter(id, seat));
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Check, CheckState, Opening} from "../../../contracts/interfaces/IAudit.sol";
import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {CheckHash} from "../../../contracts/libraries/CheckHash.sol";
import {TraceWorld} from "../support/TraceWorld.sol";

/// @dev A subnet in which every result is checked at single steps, and verbs that take a check to the state a test is about.
abstract contract AuditWorld is TraceWorld {
    uint256 internal constant FEE = 10 * PAN;
    uint256 internal constant BOUNTY = 30 * PAN;
    uint256 internal constant CHALLENGE_SECONDS = 120;
    uint256 internal constant COMMIT_SECONDS = 600;
    uint256 internal constant CLOCK_SECONDS = 600;
    uint256 internal constant REVEAL_SECONDS = 40;
    uint256 internal constant OPEN_SECONDS = 60;

    bytes32 internal constant SALT = keccak256("salt of a check");

    function setUp() public virtual override {
        super.setUp();
        useSampling({pMin: 0, pMax: 0, stepAuditRate: type(uint32).max});
        stakeAll(2, 4);
    }

    /// @dev After its notice; nothing has to deter here.
    function useSampling(uint32 pMin, uint32 pMax, uint32 stepAuditRate) internal {
        Params memory params = defaultParams();
        params.computeCost = 1;
        params.pMin = pMin;
        params.pMax = pMax;
        params.stepAuditRate = stepAuditRate;
        useParams(params);
    }

    function checkOf(bytes32 id) internal view returns (Check memory) {
        return audit.checkOf(id);
    }

    function assertState(bytes32 id, CheckState state) internal view {
        vm.assertEq(uint256(checkOf(id).state), uint256(state), "state of the check");
    }

    function drawChecker(bytes32 id) internal returns (address checker) {
        audit.drawChecker(termsOf[id], slotOf[id]);
        return checkOf(id).checker;
    }

    /// @dev Submitted, and its seed known.
    function sampled() internal returns (bytes32 id, address solver) {
        (id, solver) = submitted();
        nextEpoch();
    }

    function drawn() internal returns (bytes32 id, address solver, address checker) {
        (id, solver) = sampled();
        checker = drawChecker(id);
    }

    function commitCheck(bytes32 id, bytes32 answers) internal {
        address checker = checkOf(id).checker;
        vm.prank(checker);
        audit.commitCheck(termsOf[id], slotOf[id], hashOf(id, checker, answers));
    }

    function hashOf(bytes32 id, address checker, bytes32 answers) internal view returns (bytes32) {
        return CheckHash.hash(address(audit), id, checker, answers, SALT);
    }

    /// @dev By a checker that finds the trace right, or by one that does not.
    function committed(bool right) internal returns (bytes32 id, address solver, address checker) {
        (id, solver, checker) = drawn();
        commitCheck(id, right ? answersOf(id) : othersOf(id));
    }

    /// @dev Another last answer.
    function othersOf(bytes32 id) internal view returns (bytes32) {
        return answersOf(id) ^ CheckHash.put(0, AUDIT_STEPS - 1, bytes32(type(uint256).max));
    }

    /// @dev Anyone may.
    function openAnswers(bytes32 id) internal {
        openAnswers(id, submissionOf(id), openingsOf(id));
    }

    function openAnswers(bytes32 id, Submission memory made, Opening[] memory openings) internal {
        vm.prank(stranger);
        audit.openAnswers(termsOf[id], slotOf[id], made, openings);
    }

    function revealCheck(bytes32 id, bytes32 answers) internal {
        vm.prank(stranger);
        audit.revealCheck(termsOf[id], slotOf[id], answers, SALT);
    }

    function closeCheck(bytes32 id) internal {
        vm.prank(stranger);
        audit.closeCheck(termsOf[id], slotOf[id]);
    }

    /// @dev The answers of the two differ.
    function differing() internal returns (bytes32 id, address solver, address checker) {
        (id, solver, checker) = committed(false);
        openAnswers(id);
        revealCheck(id, othersOf(id));
    }

    function locked(address checker) internal view returns (uint256) {
        return staking.positionOf(subnet, Role.Verifier, checker).locked;
    }
}

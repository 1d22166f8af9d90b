// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {Case, CaseStatus, ICourt, Round, RoundState, Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IPanthaliaToken} from "../../../contracts/interfaces/IPanthaliaToken.sol";
import {IRandomnessBeacon} from "../../../contracts/interfaces/IRandomnessBeacon.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket, Submission, Task, Terms} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IStepChallenge, Pin} from "../../../contracts/interfaces/IStepChallenge.sol";
import {IPanthaliaLens} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {IStateRegistry} from "../../../contracts/interfaces/IStateRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Test} from "./Vm.sol";

/// @dev Every contract, deployed and wired as in production, one subnet with the default numbers, and verbs
/// that take a task or a case to the state a test is about.
abstract contract World is Test {
    using RLP for RLP.Encoder;

    uint256 internal constant PAN = 1e18;
    uint256 internal constant PRICE = 10 * PAN;
    uint256 internal constant STAKE = 100 * PAN;
    uint256 internal constant BOND = 40 * PAN;
    uint256 internal constant EPOCH_BLOCKS = 4;
    uint256 internal constant PURSE = 10_000 * PAN;
    uint256 internal constant SUBNET_BOND = 100 * PAN;

    uint32 internal constant INNER_STEPS = 64;
    uint256 internal constant TRACE_DEPTH = 7;
    /// over stateAt(0) .. stateAt(INNER_STEPS)
    bytes32 internal immutable TRACE_ROOT = traceNodes(leavesOfTheTrace())[1];
    bytes32 internal constant RESULT_ROOT = keccak256("result");
    bytes32 internal constant LEAVES_BLOB = keccak256("leaves");

    address internal immutable buyer = actor("buyer");
    address internal immutable dora = actor("dora, a disputer");
    address internal immutable stranger = actor("stranger");
    address[] internal workers;

    IPanthaliaToken internal token;
    ISubnetRegistry internal registry;
    IRandomnessBeacon internal beacon;
    IVault internal vault;
    IStaking internal staking;
    ITaskMarket internal market;
    ICourt internal court;
    IStepChallenge internal challenge;
    IAudit internal audit;
    IReputation internal reputation;
    IStateRegistry internal states;
    IPanthaliaLens internal lens;
    uint32 internal subnet;

    /// what a caller has to bring again
    mapping(bytes32 taskId => Terms) internal termsOf;
    mapping(bytes32 taskId => uint8) internal slotOf;
    mapping(bytes32 caseId => Case) internal cases_;

    uint256 private _batches;
    uint256 private _pins;

    function setUp() public virtual {
        vm.roll(100 * EPOCH_BLOCKS);
        uint256 nonce = vm.getNonce(address(this));
        address vault_ = vm.computeCreateAddress(address(this), nonce + 3);
        address staking_ = vm.computeCreateAddress(address(this), nonce + 4);
        address market_ = vm.computeCreateAddress(address(this), nonce + 5);
        address court_ = vm.computeCreateAddress(address(this), nonce + 6);
        address challenge_ = vm.computeCreateAddress(address(this), nonce + 7);
        address audit_ = vm.computeCreateAddress(address(this), nonce + 8);
        address reputation_ = vm.computeCreateAddress(address(this), nonce + 9);
        token = IPanthaliaToken(create("PanthaliaToken", abi.encode(address(this))));
        registry = ISubnetRegistry(create("SubnetRegistry", abi.encode(vault_, SUBNET_BOND)));
        beacon = IRandomnessBeacon(create("RandomnessBeacon", abi.encode(EPOCH_BLOCKS, 0)));
        bytes memory modules = abi.encode(token, registry, staking_, market_, court_, challenge_, audit_);
        vault = IVault(create("Vault", modules));
        staking = IStaking(create("Staking", abi.encode(vault, registry, beacon, market_, court_, audit_)));
        market = ITaskMarket(
            create(
                "TaskMarket",
                abi.encode(vault, registry, staking, beacon, court_, challenge_, audit_, reputation_)
            )
        );
        court = ICourt(create("Court", abi.encode(vault, registry, staking, beacon, market, challenge_)));
        challenge = IStepChallenge(create("StepChallenge", abi.encode(vault, registry, market, court)));
        audit = IAudit(create("Audit", abi.encode(vault, registry, staking, beacon, market, reputation_)));
        reputation = IReputation(create("Reputation", abi.encode(market, audit)));
        states = IStateRegistry(create("StateRegistry", abi.encode(market)));
        bytes memory read = abi.encode(vault, staking, beacon, market, court, challenge, audit);
        lens = IPanthaliaLens(create("PanthaliaLens", read));
        fund(address(this), 2 * SUBNET_BOND);
        registry.createSubnet(defaultParams(), 0); // so that no number of a subnet is that of its version
        subnet = registry.createSubnet(defaultParams(), keccak256("plugin"));

        workers = [actor("alice"), actor("bob"), actor("carol"), actor("dave")];
        fund(buyer, PURSE);
        fund(dora, PURSE);
        for (uint256 i = 0; i < workers.length; ++i) {
            fund(workers[i], PURSE);
        }
    }

    /// @dev From the artifact and not with `new`, which would compile every contract again into every test.
    function create(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        vm.assertTrue(created != address(0), name);
    }

    /// @dev Checks as in localParams of src/chain/params.ts: 20 % of steps, 11 % to 50 % of whole tasks.
    function defaultParams() internal pure returns (Params memory) {
        return Params({
            minPrice: uint96(PRICE),
            solverStake: uint96(STAKE),
            openSeconds: 60,
            solveSeconds: 600,
            verifierFee: uint96(10 * PAN),
            seatBond: uint96(BOND),
            challengeSeconds: 120,
            commitSeconds: 50,
            revealSeconds: 40,
            appealSeconds: 30,
            cooldownEpochs: 2,
            exposure: 4,
            maxAttempts: 3,
            panelStart: 3,
            panelStep: 2,
            maxRounds: 3,
            bountyBps: 3_000,
            buyerBps: 1_000,
            burnBps: 3_000,
            livenessBps: 1_000,
            panelDoubles: false,
            terminalPanel: 0,
            auditSteps: 2,
            stepAuditRate: 858_993_459,
            pMin: 472_446_402,
            pMax: 2 ** 31,
            scoreHalf: 8,
            delayBps: 1_000,
            commitBondBps: 5_000,
            clockSeconds: 600,
            computeCost: uint96(PRICE),
            outsideGain: 0,
            adversaryBps: 1_000
        });
    }

    // ------------------------------------------------------------------------------------ money, stake

    function fund(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(vault), amount);
        vm.prank(account);
        vault.deposit(amount);
    }

    function stake(address account, Role role, uint32 seats) internal {
        vm.prank(account);
        staking.stake(subnet, role, seats);
    }

    /// @dev Everybody solves and verifies, drawable at once.
    function stakeAll(uint32 solverSeats, uint32 verifierSeats) internal {
        for (uint256 i = 0; i < workers.length; ++i) {
            stake(workers[i], Role.Solver, solverSeats);
            stake(workers[i], Role.Verifier, verifierSeats);
        }
        nextEpoch();
    }

    function free(address account) internal view returns (uint256) {
        return vault.balanceOf(account);
    }

    function staked(address account, Role role) internal view returns (uint256) {
        return staking.positionOf(subnet, role, account).amount;
    }

    /// @dev All an account owns, wherever it is.
    function wealth(address account) internal view returns (uint256) {
        return free(account) + staked(account, Role.Solver) + staked(account, Role.Verifier);
    }

    // ------------------------------------------------------------------------------------ time, seeds

    /// @dev Into the next epoch, with the seed that draws in it need.
    function nextEpoch() internal {
        uint32 epoch = beacon.currentEpoch();
        mine(beacon.targetBlock(epoch) + 1);
        beacon.fulfil(epoch, headerOf(beacon.targetBlock(epoch)));
    }

    /// @dev Go to block `number`, and give the blocks before it the hashes of `headerOf`.
    function mine(uint256 number) internal {
        vm.roll(number);
        vm.setBlockhash(number - 1, keccak256(headerOf(number - 1)));
    }

    function headerOf(uint256 number) internal pure returns (bytes memory) {
        return headerOf(number, keccak256(abi.encode("mix", number)));
    }

    /// @dev A header with the fields of Prague; only number and mix are meaningful.
    function headerOf(uint256 number, bytes32 mix) internal pure returns (bytes memory) {
        RLP.Encoder memory list = RLP.encoder();
        for (uint256 field = 0; field < 21; ++field) {
            if (field == 6) list = list.push(new bytes(256));
            else if (field == 8) list = list.push(number);
            else if (field == 13) list = list.push(mix);
            else if (field >= 7 && field <= 11) list = list.push(uint256(0));
            else if (field == 12) list = list.push(bytes(""));
            else if (field == 14) list = list.push(new bytes(8));
            else if (field == 15 || field == 17 || field == 18) list = list.push(uint256(7));
            else if (field == 2) list = list.push(address(0));
            else list = list.push(keccak256(abi.encode(field)));
        }
        return list.encode();
    }

    function pass(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
    }

    // ------------------------------------------------------------------------------------ tasks

    function terms(uint256 slots) internal view returns (Terms memory) {
        return Terms({
            buyer: buyer,
            price: uint96(PRICE),
            subnetId: subnet,
            paramsVersion: registry.latestVersion(subnet),
            round: 4,
            innerSteps: INNER_STEPS,
            jobId: keccak256("job"),
            baseRoot: keccak256("base"),
            specHash: keccak256("spec"),
            slots: slots,
            salt: bytes32(_batches)
        });
    }

    function post(uint32 count) internal returns (bytes32[] memory taskIds) {
        Terms memory posted = terms((1 << count) - 1);
        ++_batches;
        vm.prank(buyer);
        bytes32 batchId = market.createBatch(posted);
        taskIds = new bytes32[](count);
        for (uint8 slot = 0; slot < count; ++slot) {
            taskIds[slot] = market.taskIdOf(batchId, slot);
            termsOf[taskIds[slot]] = posted;
            slotOf[taskIds[slot]] = slot;
        }
    }

    function postOne() internal returns (bytes32) {
        return post(1)[0];
    }

    function assign(bytes32 id) internal {
        market.assign(termsOf[id], slotOf[id]);
    }

    function cancel(bytes32 id) internal {
        market.cancel(termsOf[id], slotOf[id]);
    }

    function finalize(bytes32 id) internal {
        market.finalize(termsOf[id], slotOf[id]);
    }

    function expire(bytes32 id) internal {
        market.expire(termsOf[id], slotOf[id]);
    }

    function assigned() internal returns (bytes32 id, address solver) {
        id = postOne();
        nextEpoch();
        assign(id);
        solver = taskAt(id).solver;
    }

    function submission() internal view returns (Submission memory) {
        return Submission({traceRoot: TRACE_ROOT, resultRoot: RESULT_ROOT, leavesBlob: LEAVES_BLOB});
    }

    /// @dev Of what a solver submits; TraceWorld has one whose leaves have a content.
    function leavesOf(bytes32) internal pure virtual returns (bytes32[] memory) {
        return leavesOfTheTrace();
    }

    function submissionOf(bytes32) internal view virtual returns (Submission memory) {
        return submission();
    }

    function submitAs(address solver, bytes32 id) internal {
        Submission memory own = submissionOf(id); // may call, which would take the prank
        vm.prank(solver);
        market.submit(termsOf[id], slotOf[id], own);
    }

    function submitted() internal returns (bytes32 id, address solver) {
        (id, solver) = assigned();
        submitAs(solver, id);
    }

    /// @param id of the task, or of a case about it
    function taskAt(bytes32 id) internal view returns (Task memory) {
        if (cases_[id].taskId != 0) id = cases_[id].taskId;
        return market.task(termsOf[id], slotOf[id]);
    }

    function deadlineOf(bytes32 id) internal view returns (uint256) {
        return taskAt(id).deadline;
    }

    function statusOf(bytes32 id) internal view returns (uint256) {
        return uint256(taskAt(id).status);
    }

    // ------------------------------------------------------------------------------------ cases

    /// @dev Committed to in the block before, then pinned.
    function disputeAs(address disputer, bytes32 id, uint32 step) internal returns (bytes32 caseId) {
        bytes32 salt = bytes32(++_pins);
        vm.roll(vm.getBlockNumber() - 1);
        commitToDispute(disputer, id, step, salt);
        vm.roll(vm.getBlockNumber() + 1);
        return pinAs(disputer, id, submissionOf(id), pinOf(leavesOf(id), step, salt));
    }

    /// @dev With the bond that the parameters ask for.
    function commitToDispute(address disputer, bytes32 id, uint32 step, bytes32 salt) internal {
        bytes32 commitment = challenge.commitmentOf(id, disputer, step, salt);
        vm.prank(disputer);
        challenge.commitDispute(commitment, uint96(PRICE / 2));
    }

    function pinAs(address disputer, bytes32 id, Pin memory what) internal returns (bytes32 caseId) {
        return pinAs(disputer, id, submission(), what);
    }

    function pinAs(address disputer, bytes32 id, Submission memory of_, Pin memory what)
        internal
        returns (bytes32 caseId)
    {
        Terms memory t = termsOf[id];
        vm.prank(disputer);
        caseId = challenge.pin(t, slotOf[id], of_, what);
        address solver = market.task(t, slotOf[id]).solver;
        uint40 openedAt = uint40(vm.getBlockTimestamp());
        cases_[caseId] = Case(id, t.subnetId, t.paramsVersion, solver, disputer, what.step, openedAt);
    }

    function pinOf(uint32 step, bytes32 salt) internal pure returns (Pin memory) {
        return pinOf(leavesOfTheTrace(), step, salt);
    }

    function pinOf(bytes32[] memory leaves, uint32 step, bytes32 salt) internal pure returns (Pin memory) {
        bytes32[] memory nodes = traceNodes(leaves);
        bytes32[] memory siblings = new bytes32[](2 * TRACE_DEPTH);
        uint256 count = 0;
        uint256 place = nodes.length / 2 + step;
        for (; place % 2 == 1; place /= 2) {
            siblings[count++] = nodes[place - 1];
            siblings[count++] = nodes[place + 2];
        }
        for (place /= 2; place > 1; place /= 2) {
            siblings[count++] = nodes[place ^ 1];
        }
        assembly ("memory-safe") {
            mstore(siblings, count)
        }
        return Pin(step, leaves[step], leaves[step + 1], siblings, 0, salt);
    }

    function stateAt(uint32 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("state", index));
    }

    function leavesOfTheTrace() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](INNER_STEPS + 1);
        for (uint32 i = 0; i <= INNER_STEPS; ++i) {
            leaves[i] = stateAt(i);
        }
    }

    /// @dev As in a heap: the root at 1, the children of n at 2n and 2n + 1, the leaves in the second half.
    function traceNodes(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 width = 2 ** TRACE_DEPTH;
        nodes = new bytes32[](2 * width);
        for (uint32 i = 0; i <= INNER_STEPS; ++i) {
            nodes[width + i] = keccak256(abi.encodePacked(bytes1(0x00), i, leaves[i]));
        }
        for (uint256 n = width - 1; n > 0; --n) {
            nodes[n] = keccak256(abi.encodePacked(bytes1(0x01), nodes[2 * n], nodes[2 * n + 1]));
        }
    }

    /// @return id of the case
    function disputed() internal returns (bytes32 id, address solver) {
        (id, solver) = submitted();
        id = disputeAs(dora, id, 7);
    }

    /// @dev A dispute whose first panel sits.
    function voting() internal returns (bytes32 id, address solver) {
        (id, solver) = disputed();
        seatPanel(id);
    }

    function seatPanel(bytes32 id) internal {
        nextEpoch();
        drawSeats(id);
    }

    function drawSeats(bytes32 id) internal {
        court.drawSeats(cases_[id]);
    }

    function advance(bytes32 id) internal {
        court.advance(cases_[id]);
    }

    function appeal(bytes32 id) internal {
        court.appeal(cases_[id]);
    }

    function settleCase(bytes32 id) internal {
        bytes32 taskId = cases_[id].taskId;
        court.settle(cases_[id], termsOf[taskId], slotOf[taskId]);
    }

    function currentRound(bytes32 id) internal view returns (uint8) {
        return court.newestRound(id).number;
    }

    function round(bytes32 id) internal view returns (Round memory) {
        return court.newestRound(id);
    }

    function voter(bytes32 id, uint8 seat) internal view returns (address) {
        return court.seatOf(id, currentRound(id), seat).voter;
    }

    function answerOf(Verdict verdict) internal pure returns (bytes32) {
        return keccak256(abi.encode(verdict));
    }

    function saltOf(uint8 seat) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", seat));
    }

    function commit(bytes32 id, uint8 seat, Verdict verdict) internal {
        address holder = voter(id, seat);
        uint8 number = currentRound(id);
        bytes32 commitment =
            court.voteHash(id, number, seat, holder, verdict, answerOf(verdict), saltOf(seat));
        vm.prank(holder);
        court.commitVote(cases_[id], number, seat, commitment);
    }

    function reveal(bytes32 id, uint8 seat, Verdict verdict) internal {
        court.revealVote(cases_[id], currentRound(id), seat, verdict, answerOf(verdict), saltOf(seat));
    }

    /// @dev Votes for the first seats; `None` is a seat that stays away. Then the round is moved on.
    function vote(bytes32 id, Verdict[] memory verdicts) internal {
        bool absent = false;
        uint8 number = currentRound(id);
        for (uint8 seat = 0; seat < verdicts.length; ++seat) {
            if (verdicts[seat] == Verdict.None) absent = true;
            else commit(id, seat, verdicts[seat]);
        }
        if (absent) {
            vm.warp(round(id).deadline + 1);
            advance(id);
        }
        for (uint8 seat = 0; seat < verdicts.length; ++seat) {
            if (verdicts[seat] == Verdict.None) continue;
            court.revealVote(cases_[id], number, seat, verdicts[seat], answerOf(verdicts[seat]), saltOf(seat));
        }
        if (round(id).state == RoundState.Reveal) advance(id);
    }

    function unanimous(uint256 seats, Verdict verdict) internal pure returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](seats);
        for (uint256 seat = 0; seat < seats; ++seat) {
            verdicts[seat] = verdict;
        }
    }

    function three(Verdict a, Verdict b, Verdict c) internal pure returns (Verdict[] memory verdicts) {
        verdicts = new Verdict[](3);
        (verdicts[0], verdicts[1], verdicts[2]) = (a, b, c);
    }

    /// @dev Let the appeal window pass and pay everybody.
    function settle(bytes32 id) internal {
        vm.warp(round(id).deadline + 1);
        closeAll(id);
    }

    function closeAll(bytes32 id) internal {
        if (round(id).status == CaseStatus.Active) settleCase(id);
        for (uint8 number = 1; number <= currentRound(id); ++number) {
            court.closeSeats(cases_[id], number);
        }
    }

    function seatsHeld(bytes32 id, uint8 number, address account) internal view returns (uint256 held) {
        uint8 size = court.roundOf(id, number).size;
        for (uint8 seat = 0; seat < size; ++seat) {
            if (court.seatOf(id, number, seat).voter == account) ++held;
        }
    }
}

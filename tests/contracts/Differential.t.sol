// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Verdict} from "../../contracts/interfaces/ICourt.sol";
import {Params} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {CheckHash} from "../../contracts/libraries/CheckHash.sol";
import {Escalation} from "../../contracts/libraries/Escalation.sol";
import {OuterSteps} from "../../contracts/libraries/OuterSteps.sol";
import {Sampling} from "../../contracts/libraries/Sampling.sol";
import {Settlement} from "../../contracts/libraries/Settlement.sol";
import {SortitionTree} from "../../contracts/libraries/SortitionTree.sol";
import {TraceLeaf} from "../../contracts/libraries/TraceLeaf.sol";
import {TraceTree} from "../../contracts/libraries/TraceTree.sol";
import {VoteHash} from "../../contracts/libraries/VoteHash.sol";
import {Test} from "./support/Vm.sol";

/// @dev Libraries against their twins in src/protocol, on vectors of tests/helpers/marketVectors.ts: a few that are in
/// git, or the ones in the file that PANTHALIA_VECTORS names, thousands of them with tests/chain/differential.test.ts.
/// The ninth array is for DifferentialDraws.t.sol.
contract DifferentialTest is Test {
    using SortitionTree for SortitionTree.Tree;

    struct TreeVector {
        uint256[] leaves;
        uint256[] weights;
        uint256[] epochs;
        uint256 epoch;
        bytes32[] entropies;
        uint256 total;
        uint256[] winners;
        uint256[] bounds;
        uint256[] before;
    }

    struct SampleVector {
        uint256[8] terms;
        bytes32 seed;
        bytes32 taskId;
        uint256 score;
        uint256 gain;
        uint256 steps;
        bytes32 roll;
        uint256 chance;
        uint256 check;
        uint256[] audited;
        uint256 least;
        uint256 reach;
        uint256 bribe;
    }

    struct PanelVector {
        uint256[6] terms;
        uint256 round;
        uint256[4] votes;
        uint256 size;
        uint256 fee;
        uint256 last;
        uint256 ruling;
    }

    struct SettlementVector {
        uint256[6] panel;
        uint256[4] terms;
        uint256[2] settled;
        uint256[2] nothing;
        uint256[3] conviction;
    }

    struct VoteVector {
        uint256 chainId;
        address court;
        bytes32 caseId;
        uint256 round;
        uint256 seat;
        address voter;
        uint256 verdict;
        bytes32 answer;
        bytes32 salt;
        bytes32 hash;
    }

    struct TraceVector {
        uint256 innerSteps;
        uint256 index;
        bytes32 value;
        bytes32[] proof;
        bytes32 root;
        uint256 pair;
        bytes32[2] neighbours;
        bytes32[] siblings;
    }

    struct OuterStepVector {
        uint256 chainId;
        address states;
        address buyer;
        uint256 subnetId;
        bytes32 jobId;
        bytes32 baseRoot;
        uint256[] slots;
        bytes32[] taskIds;
        bytes32[] resultRoots;
        uint256 round;
        bytes32 stateRoot;
        bytes32 root;
        bytes32 chainHash;
    }

    struct CheckVector {
        uint256 chainId;
        address audit;
        bytes32 taskId;
        address checker;
        bytes32 salt;
        bytes32 commitment;
        bytes32 roll;
        uint256 innerSteps;
        uint256 step;
        bytes32[4] roots;
        uint256[5] numbers;
        bytes32[] proof;
        bytes32 traceRoot;
        bytes32 resultRoot;
        bytes32 leaf;
        bytes32 answers;
    }

    mapping(uint256 => SortitionTree.Tree) private _trees;

    function test_solidityAndTypeScriptAgree() public {
        bytes memory file = vm.parseBytes(vm.readFile(vm.envOr("PANTHALIA_VECTORS", FIXTURE)));
        (
            TreeVector[] memory trees,
            SampleVector[] memory samples,
            PanelVector[] memory panels,
            SettlementVector[] memory settlements,
            VoteVector[] memory votes,
            TraceVector[] memory traces,
            OuterStepVector[] memory steps,
            CheckVector[] memory checks
        ) = abi.decode(
            file,
            (
                TreeVector[],
                SampleVector[],
                PanelVector[],
                SettlementVector[],
                VoteVector[],
                TraceVector[],
                OuterStepVector[],
                CheckVector[]
            )
        );
        vm.assertTrue(trees.length > 0 && samples.length > 0 && panels.length > 0, "vectors");
        vm.assertTrue(settlements.length > 0 && votes.length > 0 && traces.length > 0, "vectors");
        vm.assertTrue(steps.length > 0 && checks.length > 0, "vectors");
        for (uint256 i = 0; i < checks.length; ++i) {
            _check(checks[i]);
        }
        for (uint256 i = 0; i < trees.length; ++i) {
            _tree(_trees[i], trees[i]);
        }
        for (uint256 i = 0; i < samples.length; ++i) {
            _sample(samples[i]);
        }
        for (uint256 i = 0; i < panels.length; ++i) {
            _panel(panels[i]);
        }
        for (uint256 i = 0; i < settlements.length; ++i) {
            _settlement(settlements[i]);
        }
        for (uint256 i = 0; i < votes.length; ++i) {
            _vote(votes[i]);
        }
        for (uint256 i = 0; i < traces.length; ++i) {
            TraceVector memory v = traces[i];
            this.verify(v.root, uint32(v.innerSteps), uint32(v.index), v.value, v.proof);
            this.verifyPair(v.root, uint32(v.innerSteps), uint32(v.pair), v.neighbours, v.siblings);
        }
        for (uint256 i = 0; i < steps.length; ++i) {
            _outerStep(steps[i]);
        }
    }

    string private constant FIXTURE = "tests/fixtures/marketVectors.hex";

    function verify(bytes32 root, uint32 innerSteps, uint32 index, bytes32 value, bytes32[] calldata proof)
        external
        pure
    {
        TraceTree.verify(root, innerSteps, index, value, proof);
    }

    function verifyPair(
        bytes32 root,
        uint32 innerSteps,
        uint32 index,
        bytes32[2] calldata neighbours,
        bytes32[] calldata siblings
    ) external pure {
        TraceTree.verifyPair(root, innerSteps, index, neighbours[0], neighbours[1], siblings);
    }

    function _outerStep(OuterStepVector memory v) private {
        bytes32[] memory leaves = new bytes32[](v.slots.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = OuterSteps.leafOf(uint8(v.slots[i]), v.taskIds[i], v.resultRoots[i]);
        }
        bytes32 root = OuterSteps.rootOf(leaves);
        vm.assertEq(root, v.root, "contribution root");
        vm.chainId(v.chainId);
        bytes32 first = OuterSteps.beginning(v.states, v.buyer, uint32(v.subnetId), v.jobId, v.baseRoot);
        bytes32 hash = OuterSteps.next(first, uint32(v.round), v.stateRoot, root);
        vm.assertEq(hash, v.chainHash, "chain hash");
    }

    function _tree(SortitionTree.Tree storage tree, TreeVector memory v) private {
        for (uint256 i = 0; i < v.leaves.length; ++i) {
            tree.update(v.leaves[i], v.weights[i], uint32(v.epochs[i]));
        }
        vm.assertEq(tree.total(uint32(v.epoch)), v.total, "seats that can be drawn");
        for (uint256 i = 0; i < v.entropies.length; ++i) {
            // as in Staking.draw
            uint256 ticket = uint256(keccak256(abi.encode(v.entropies[i], i))) % v.total;
            vm.assertEq(tree.find(ticket, uint32(v.epoch)), v.winners[i], "owner of a ticket");
        }
        for (uint256 i = 0; i < v.bounds.length; ++i) {
            vm.assertEq(tree.totalBefore(v.bounds[i], uint32(v.epoch)), v.before[i], "tickets before a leaf");
        }
    }

    function _sample(SampleVector memory v) private pure {
        Params memory p;
        (p.pMin, p.pMax, p.scoreHalf) = (uint32(v.terms[0]), uint32(v.terms[1]), uint32(v.terms[2]));
        (p.stepAuditRate, p.minPrice) = (uint32(v.terms[3]), uint96(v.terms[4]));
        (p.solverStake, p.adversaryBps) = (uint96(v.terms[5]), uint16(v.terms[6]));
        p.bountyBps = uint16(v.terms[7]);
        bytes32 roll = Sampling.rollOf(v.seed, v.taskId);
        vm.assertEq(roll, v.roll, "roll");
        vm.assertEq(Sampling.chance(p, v.score), v.chance, "chance by score");
        vm.assertEq(uint256(Sampling.checkOf(p, roll, v.score)), v.check, "which check");
        for (uint256 i = 0; i < v.audited.length; ++i) {
            vm.assertEq(Sampling.stepOf(roll, i, uint32(v.steps)), v.audited[i], "audited step");
        }
        vm.assertEq(Sampling.leastChance(p, v.gain), v.least, "least chance");
        vm.assertEq(Sampling.reach(p), v.reach, "reach");
        vm.assertEq(Sampling.bribe(p, v.reach), v.bribe, "bribe");
    }

    function _panel(PanelVector memory v) private pure {
        Params memory p;
        (p.panelStart, p.panelStep, p.panelDoubles) = (uint8(v.terms[0]), uint8(v.terms[1]), v.terms[2] == 1);
        (p.maxRounds, p.terminalPanel) = (uint8(v.terms[3]), uint8(v.terms[4]));
        p.verifierFee = uint96(v.terms[5]);
        vm.assertEq(Escalation.panelSize(p, v.round), v.size, "size of a panel");
        vm.assertEq(Escalation.panelFee(p, v.round), v.fee, "fee of a panel");
        vm.assertEq(Escalation.lastRound(p), v.last, "last round");
        Verdict ruling = Escalation.ruling(v.votes[0], v.votes[1], v.votes[2], v.votes[3]);
        vm.assertEq(uint256(ruling), v.ruling, "ruling");
    }

    function _settlement(SettlementVector memory v) private pure {
        uint256[6] memory panel = v.panel;
        (uint256 share, uint256 burned) = Settlement.ofRound(panel[0], panel[1], panel[2], panel[3], panel[4]);
        vm.assertEq(share, v.settled[0], "share");
        vm.assertEq(burned, v.settled[1], "burned");
        (share, burned) = Settlement.ofVoidRound(panel[1], panel[5], panel[2], panel[3]);
        vm.assertEq(share, v.nothing[0], "share of a void panel");
        vm.assertEq(burned, v.nothing[1], "burned by a void panel");
        Params memory p;
        (p.solverStake, p.bountyBps, p.buyerBps) =
        (uint96(v.terms[0]), uint16(v.terms[1]), uint16(v.terms[2]));
        (uint256 toDisputer, uint256 toBuyer, uint256 lost) = Settlement.ofConviction(p, v.terms[3]);
        vm.assertEq(toDisputer, v.conviction[0], "to the disputer");
        vm.assertEq(toBuyer, v.conviction[1], "to the buyer");
        vm.assertEq(lost, v.conviction[2], "burned by a conviction");
    }

    function _check(CheckVector memory v) private {
        uint32 index = uint32(v.step) + 1;
        TraceLeaf.Content memory content = TraceLeaf.Content({
            opsetHash: v.roots[0],
            stateRoot: v.roots[1],
            gradientRoot: v.roots[2],
            batchDigest: v.roots[3],
            stepSize: uint32(v.numbers[0]),
            secondMomentScale: uint32(v.numbers[1]),
            decay: uint32(v.numbers[2]),
            loss: uint32(v.numbers[3]),
            gradientNorm: uint32(v.numbers[4])
        });
        vm.assertEq(TraceLeaf.hash(v.taskId, index, content), v.leaf, "leaf");
        this.verify(v.traceRoot, uint32(v.innerSteps), index, v.leaf, v.proof);
        bytes32 result = index == v.innerSteps ? v.resultRoot : bytes32(0);
        bytes32 answer = CheckHash.answer(v.roll, v.leaf, content, result);
        vm.assertEq(CheckHash.put(0, 0, answer), v.answers, "answer to a check");
        vm.chainId(v.chainId);
        bytes32 hash = CheckHash.hash(v.audit, v.taskId, v.checker, v.answers, v.salt);
        vm.assertEq(hash, v.commitment, "commitment to a check");
    }

    function _vote(VoteVector memory v) private {
        vm.chainId(v.chainId);
        bytes32 hash = VoteHash.hash(
            v.court, v.caseId, uint16(v.round), uint8(v.seat), v.voter, Verdict(v.verdict), v.answer, v.salt
        );
        vm.assertEq(hash, v.hash, "commitment to a vote");
    }
}

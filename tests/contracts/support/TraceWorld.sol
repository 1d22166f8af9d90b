// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Opening} from "../../../contracts/interfaces/IAudit.sol";
import {Submission} from "../../../contracts/interfaces/ITaskMarket.sol";
import {CheckHash} from "../../../contracts/libraries/CheckHash.sol";
import {TraceLeaf} from "../../../contracts/libraries/TraceLeaf.sol";
import {World} from "./World.sol";

/// @dev Traces whose leaves are made as a real solver's are, so that a check can be answered.
abstract contract TraceWorld is World {
    /// of defaultParams
    uint8 internal constant AUDIT_STEPS = 2;

    function leavesOf(bytes32 id) internal pure virtual override returns (bytes32[] memory leaves) {
        leaves = new bytes32[](INNER_STEPS + 1);
        leaves[0] = stateAt(0);
        for (uint32 k = 1; k <= INNER_STEPS; ++k) {
            leaves[k] = TraceLeaf.hash(id, k, contentAt(k));
        }
    }

    function submissionOf(bytes32 id) internal view virtual override returns (Submission memory made) {
        made = submission();
        made.traceRoot = traceNodes(leavesOf(id))[1];
    }

    function contentAt(uint32 k) internal pure returns (TraceLeaf.Content memory) {
        return TraceLeaf.Content({
            opsetHash: keccak256("canon-f32-v1"),
            stateRoot: stateAt(k),
            gradientRoot: keccak256(abi.encode("gradient", k)),
            batchDigest: keccak256(abi.encode("batch", k)),
            stepSize: 0x3a83126f,
            secondMomentScale: 0x3f7fbe77,
            decay: 0x3f7ffeb0,
            loss: 0x40800000 - k,
            gradientNorm: 0x3f000000 + k
        });
    }

    /// @return openings of S_(k + 1) for each checked step k
    function openingsOf(bytes32 id) internal view returns (Opening[] memory openings) {
        bytes32[] memory nodes = traceNodes(leavesOf(id));
        openings = new Opening[](AUDIT_STEPS);
        for (uint8 index = 0; index < AUDIT_STEPS; ++index) {
            uint32 k = checkedStep(id, index) + 1;
            openings[index] = Opening({content: contentAt(k), proof: _proofOf(nodes, k)});
        }
    }

    /// @dev What follows from the trace for the steps of its check.
    function answersOf(bytes32 id) internal view returns (bytes32 answers) {
        (bytes32 roll,) = audit.sampleOf(termsOf[id], slotOf[id]);
        for (uint8 index = 0; index < AUDIT_STEPS; ++index) {
            uint32 k = checkedStep(id, index) + 1;
            bytes32 leaf = TraceLeaf.hash(id, k, contentAt(k));
            bytes32 result = k == INNER_STEPS ? RESULT_ROOT : bytes32(0);
            answers = CheckHash.put(answers, index, CheckHash.answer(roll, leaf, contentAt(k), result));
        }
    }

    function checkedStep(bytes32 id, uint8 index) internal view returns (uint32) {
        (bytes32 roll, bool whole) = audit.sampleOf(termsOf[id], slotOf[id]);
        return audit.stepOf(roll, whole, index, INNER_STEPS);
    }

    function _proofOf(bytes32[] memory nodes, uint32 k) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](TRACE_DEPTH);
        uint256 place = nodes.length / 2 + k;
        for (uint256 level = 0; level < TRACE_DEPTH; ++level) {
            proof[level] = nodes[place ^ 1];
            place /= 2;
        }
    }
}

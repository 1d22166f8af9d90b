// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckHash} from "../../../contracts/libraries/CheckHash.sol";
import {Test} from "../support/Vm.sol";

contract CheckHashTest is Test {
    function testFuzz_aWordHoldsTheFirstEightBytesOfFourAnswers(bytes32[4] calldata values) public pure {
        bytes32 word;
        bytes memory joined;
        for (uint256 index = 0; index < CheckHash.MOST_STEPS; ++index) {
            word = CheckHash.put(word, index, values[index]);
            joined = bytes.concat(joined, bytes8(values[index]));
        }
        vm.assertEq(word, bytes32(joined), "answers");
    }

    function testFuzz_whatStandsBehindTheCheckedStepsIsCutOff(bytes32 answers) public pure {
        vm.assertEq(CheckHash.trim(answers, 1), bytes8(answers), "of one");
        vm.assertEq(CheckHash.trim(answers, 2), bytes16(answers), "of two");
        vm.assertEq(CheckHash.trim(answers, 3), bytes24(answers), "of three");
        vm.assertEq(CheckHash.trim(answers, 4), answers, "of four");
    }
}

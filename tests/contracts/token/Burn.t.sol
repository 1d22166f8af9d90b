// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {World} from "../support/World.sol";

contract TokenBurnTest is World {
    function test_burnDestroysWhatTheCallerHas() public {
        token.mint(stranger, 5);
        uint256 supply = token.totalSupply();
        vm.prank(stranger);
        token.burn(5);
        vm.assertEq(token.totalSupply(), supply - 5, "supply");
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, stranger, 0, 1)
        );
        vm.prank(stranger);
        token.burn(1);
    }
}

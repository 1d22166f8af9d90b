// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IPanthaliaToken} from "../../../contracts/interfaces/IPanthaliaToken.sol";
import {World} from "../support/World.sol";

contract MintTest is World {
    function test_RevertWhen_anotherThanTheMinterMints() public {
        vm.assertEq(token.minter(), address(this), "minter");
        vm.expectRevert(abi.encodeWithSelector(IPanthaliaToken.NotMinter.selector, stranger));
        vm.prank(stranger);
        token.mint(stranger, 1);
        token.mint(stranger, 1);
        vm.assertEq(token.balanceOf(stranger), 1, "minted");
    }
}

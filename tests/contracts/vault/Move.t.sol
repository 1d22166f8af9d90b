// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {VaultWorld} from "../support/VaultWorld.sol";

contract MoveTest is VaultWorld {
    function test_RevertWhen_theCallerIsNoModule() public {
        address[4] memory callers = [stranger, buyer, address(beacon), address(vault)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.NotModule.selector, callers[i]));
            vm.prank(callers[i]);
            vault.move(buyer, stranger, 1);
        }
    }

    function test_RevertWhen_theAccountHasLess() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, PURSE + 1, PURSE));
        vm.prank(address(court));
        vault.move(buyer, stranger, PURSE + 1);
    }

    function testFuzz_everyModuleMovesAndNoTokenMoves(uint256 amount) public {
        amount = between(amount, 0, PURSE / 5);
        uint256 inVault = token.balanceOf(address(vault));
        address[5] memory modules =
            [address(registry), address(staking), address(market), address(court), address(challenge)];
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(modules[i]);
            vault.move(buyer, stranger, amount);
        }
        vm.assertEq(free(buyer), PURSE - 5 * amount, "from");
        vm.assertEq(free(stranger), 5 * amount, "to");
        vm.assertEq(token.balanceOf(address(vault)), inVault, "tokens");
    }

    function test_aMoveToItselfMakesNothing() public {
        vm.prank(address(market));
        vault.move(buyer, buyer, PURSE);
        vm.assertEq(free(buyer), PURSE, "balance");
    }
}

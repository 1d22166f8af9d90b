// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {CallingToken, FalseToken, SilentToken} from "../support/Tokens.sol";
import {VaultWorld} from "../support/VaultWorld.sol";

contract WithdrawTest is VaultWorld {
    function test_RevertWhen_theAccountHasLess() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, PURSE + 1, PURSE));
        vm.prank(buyer);
        vault.withdraw(buyer, PURSE + 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, stranger, 1, 0));
        vm.prank(stranger);
        vault.withdraw(stranger, 1);
    }

    function testFuzz_paysExactlyWhatItDebits(uint256 amount) public {
        amount = between(amount, 0, PURSE);
        uint256 inVault = token.balanceOf(address(vault));
        vm.expectEmit(address(vault));
        emit IVault.Withdrawn(buyer, stranger, amount);
        vm.prank(buyer);
        vault.withdraw(stranger, amount);
        vm.assertEq(free(buyer), PURSE - amount, "debited");
        vm.assertEq(free(stranger), 0, "paid to the wallet, not to the account");
        vm.assertEq(token.balanceOf(stranger), amount, "paid");
        vm.assertEq(token.balanceOf(address(vault)), inVault - amount, "out of the vault");
        vm.assertEq(vault.totalWithdrawn(), amount, "counted");
    }

    function test_whatIsWithdrawnToTheVaultIsADonation() public {
        uint256 inVault = token.balanceOf(address(vault));
        vm.prank(buyer);
        vault.withdraw(address(vault), PAN);
        vm.assertEq(token.balanceOf(address(vault)), inVault, "still there");
        vm.assertEq(free(address(vault)), 0, "in no account");
        vm.assertEq(vault.totalWithdrawn(), PAN, "counted as gone");
    }

    function test_RevertWhen_theTokenRefusesTheRecipient() public {
        vm.expectRevert(_failed(vault, address(0), PAN));
        vm.prank(buyer);
        vault.withdraw(address(0), PAN);
        vm.assertEq(free(buyer), PURSE, "nothing debited");
    }

    function test_RevertWhen_theTokenSaysFalse() public {
        IVault over = _credited(address(new FalseToken()));
        vm.expectRevert(_failed(over, stranger, 5));
        over.withdraw(stranger, 5);
        vm.assertEq(over.balanceOf(address(this)), 5, "nothing debited");
    }

    function test_aTokenThatSaysNothingIsFine() public {
        SilentToken silent = new SilentToken();
        IVault over = vaultOver(address(silent));
        silent.give(address(this), 5);
        over.deposit(5);
        over.withdraw(stranger, 5);
        vm.assertEq(silent.balanceOf(stranger), 5, "paid");
    }

    function test_RevertWhen_theTokenCallsBack() public {
        (IVault over, CallingToken calling) = callingVault();
        closedDuring(over, calling, _withdrawOne);
        vm.assertEq(over.balanceOf(address(this)), 47, "once each");
        vm.assertEq(over.balanceOf(address(calling)), 50, "and nothing from the account of the token");
    }

    /// @dev Sent here by mistake: no account has it, and no entry point moves any token but one.
    function test_aForeignTokenInTheVaultIsNobodys() public {
        SilentToken foreign = new SilentToken();
        foreign.give(stranger, 7);
        vm.prank(stranger);
        foreign.transfer(address(vault), 7);
        vm.assertEq(free(stranger), 0, "nothing credited");
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, stranger, 7, 0));
        vm.prank(stranger);
        vault.withdraw(stranger, 7);
        vm.prank(buyer);
        vault.withdraw(buyer, PURSE);
        vm.assertEq(foreign.balanceOf(address(vault)), 7, "still there");
    }

    function _withdrawOne(IVault over) private {
        over.withdraw(stranger, 1);
    }

    function _failed(IVault over, address to, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.TransferFailed.selector, address(over), to, amount);
    }

    /// @dev A vault whose token can not be pulled, with 5 in the account of this test all the same.
    function _credited(address odd) private returns (IVault over) {
        over = vaultOver(odd);
        // balanceOf is the first word of storage: mapping(address => uint256)
        vm.store(address(over), keccak256(abi.encode(address(this), uint256(0))), bytes32(uint256(5)));
        vm.assertEq(over.balanceOf(address(this)), 5, "where balances are");
    }
}

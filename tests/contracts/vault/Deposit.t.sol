// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {
    CallingToken,
    FalseToken,
    GenerousToken,
    OddToken,
    SilentToken,
    TaxToken
} from "../support/Tokens.sol";
import {VaultWorld} from "../support/VaultWorld.sol";

contract DepositTest is VaultWorld {
    function test_RevertWhen_theApprovalIsTooSmall() public {
        _give(stranger, 5 * PAN, 3 * PAN - 1);
        vm.expectRevert(_failed(stranger, vault, 3 * PAN));
        vm.prank(stranger);
        vault.deposit(3 * PAN);
    }

    function test_RevertWhen_theBalanceIsTooSmall() public {
        _give(stranger, 3 * PAN - 1, 5 * PAN);
        vm.expectRevert(_failed(stranger, vault, 3 * PAN));
        vm.prank(stranger);
        vault.deposit(3 * PAN);
    }

    function test_RevertWhen_theBooksCanNotHoldTheAmount() public {
        uint256 most = type(uint256).max - vault.totalDeposited();
        vm.expectRevert(_failed(stranger, vault, most)); // it has not so much
        _deposit(most);
        vm.expectRevert(abi.encodeWithSelector(IVault.AmountTooLarge.selector, most + 1, most));
        _deposit(most + 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.AmountTooLarge.selector, type(uint256).max, most));
        _deposit(type(uint256).max);
    }

    function testFuzz_pullsExactlyTheAmountAndCreditsTheCaller(uint256 had, uint256 amount) public {
        had = between(had, 0, 1e30);
        amount = between(amount, 0, had);
        uint256 before = vault.totalDeposited();
        uint256 inVault = token.balanceOf(address(vault));
        _give(stranger, had, amount);
        vm.expectEmit(address(vault));
        emit IVault.Deposited(stranger, amount);
        vm.prank(stranger);
        vault.deposit(amount);
        vm.assertEq(free(stranger), amount, "credited");
        vm.assertEq(free(buyer), PURSE, "nobody else");
        vm.assertEq(token.balanceOf(stranger), had - amount, "left in the wallet");
        vm.assertEq(token.allowance(stranger, address(vault)), 0, "allowance used up");
        vm.assertEq(token.balanceOf(address(vault)), inVault + amount, "in the vault");
        vm.assertEq(vault.totalDeposited(), before + amount, "counted");
    }

    function test_RevertWhen_theTokenChargesOnTransfer() public {
        TaxToken tax = new TaxToken();
        _refuse(tax, abi.encodeWithSelector(IVault.WrongAmountReceived.selector, 100, 99));
    }

    function test_RevertWhen_theTokenCreditsMoreThanWasSent() public {
        GenerousToken generous = new GenerousToken();
        _refuse(generous, abi.encodeWithSelector(IVault.WrongAmountReceived.selector, 100, 101));
    }

    function test_RevertWhen_theTokenSaysFalse() public {
        FalseToken falsehood = new FalseToken();
        IVault over = vaultOver(address(falsehood));
        falsehood.give(address(this), 100);
        _refuse(over, _failed(address(this), over, 100));
    }

    function test_aTokenThatSaysNothingIsFine() public {
        SilentToken silent = new SilentToken();
        IVault over = vaultOver(address(silent));
        silent.give(address(this), 100);
        over.deposit(100);
        vm.assertEq(over.balanceOf(address(this)), 100, "credited");
    }

    function test_RevertWhen_theTokenCallsBack() public {
        (IVault over, CallingToken calling) = callingVault();
        calling.give(address(this), 3);
        closedDuring(over, calling, _depositOne);
        vm.assertEq(over.balanceOf(address(this)), 53, "once each");
    }

    function test_RevertWhen_theTokenIsNoContract() public {
        IVault over = vaultOver(address(0xdead));
        vm.expectRevert(_failed(address(this), over, 1));
        over.deposit(1);
    }

    /// @dev An allowance on another token is no allowance.
    function test_RevertWhen_theTokenIsAForeignOne() public {
        SilentToken foreign = new SilentToken();
        foreign.give(stranger, 100);
        vm.expectRevert(_failed(stranger, vault, 100));
        vm.prank(stranger);
        vault.deposit(100);
        vm.assertEq(foreign.balanceOf(stranger), 100, "untouched");
    }

    function _deposit(uint256 amount) private {
        vm.prank(stranger);
        vault.deposit(amount);
    }

    function _depositOne(IVault over) private {
        over.deposit(1);
    }

    function _failed(address from, IVault over, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.TransferFailed.selector, from, address(over), amount);
    }

    function _refuse(OddToken odd, bytes memory reason) private {
        odd.give(address(this), 100);
        _refuse(vaultOver(address(odd)), reason);
    }

    function _refuse(IVault over, bytes memory reason) private {
        vm.expectRevert(reason);
        over.deposit(100);
        vm.assertEq(over.balanceOf(address(this)), 0, "nothing credited");
        vm.assertEq(over.totalDeposited(), 0, "nothing counted");
    }

    function _give(address account, uint256 amount, uint256 allowed) private {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(vault), allowed);
    }
}

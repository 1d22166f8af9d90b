// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IVault} from "../../contracts/interfaces/IVault.sol";
import {IPanthaliaToken} from "../../contracts/interfaces/IPanthaliaToken.sol";
import {World} from "./support/World.sol";

contract VaultTest is World {
    uint256 private constant KEY = 0xa11ce;

    function test_aDepositIsPulledAndCredited() public {
        token.mint(stranger, 5 * PAN);
        vm.prank(stranger);
        token.approve(address(vault), 5 * PAN);
        vm.expectEmit(address(vault));
        emit IVault.Deposited(stranger, 3 * PAN);
        vm.prank(stranger);
        vault.deposit(3 * PAN);
        vm.assertEq(free(stranger), 3 * PAN, "credited");
        vm.assertEq(token.balanceOf(stranger), 2 * PAN, "left in the wallet");
    }

    function test_aWithdrawalPaysExactlyWhatItDebits() public {
        vm.expectEmit(address(vault));
        emit IVault.Withdrawn(buyer, stranger, 4 * PAN);
        vm.prank(buyer);
        vault.withdraw(stranger, 4 * PAN);
        vm.assertEq(free(buyer), PURSE - 4 * PAN, "debited");
        vm.assertEq(token.balanceOf(stranger), 4 * PAN, "paid");
        vm.assertEq(vault.totalWithdrawn(), 4 * PAN, "counted");
    }

    function test_nobodyWithdrawsMoreThanTheyHave() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, buyer, PURSE + 1, PURSE));
        vm.prank(buyer);
        vault.withdraw(buyer, PURSE + 1);
    }

    function test_onlyModulesMoveAndBurn() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.NotModule.selector, stranger));
        vm.prank(stranger);
        vault.move(buyer, stranger, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotModule.selector, buyer));
        vm.prank(buyer);
        vault.burn(1);
    }

    function test_everyModuleMovesButNobodyIntoDebt() public {
        address[3] memory modules = [address(staking), address(market), address(court)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(modules[i]);
            vault.move(buyer, stranger, PAN);
        }
        vm.assertEq(free(stranger), 3 * PAN, "moved");
        vm.expectPartialRevert(IVault.InsufficientBalance.selector);
        vm.prank(address(court));
        vault.move(stranger, buyer, 3 * PAN + 1);
    }

    function test_burningDestroysTokens() public {
        uint256 supply = token.totalSupply();
        vm.prank(address(court));
        vault.move(buyer, address(court), 2 * PAN);
        vm.prank(address(court));
        vault.burn(2 * PAN);
        vm.assertEq(token.totalSupply(), supply - 2 * PAN, "supply");
        vm.assertEq(vault.totalBurned(), 2 * PAN, "counted");
    }

    function test_aPermitReplacesTheApproval() public {
        address owner = vm.addr(KEY);
        token.mint(owner, 7 * PAN);
        (uint8 v, bytes32 r, bytes32 s) = _permit(owner, 7 * PAN);
        vm.prank(owner);
        vault.depositWithPermit(7 * PAN, type(uint256).max, v, r, s);
        vm.assertEq(free(owner), 7 * PAN, "credited");
    }

    function test_aPermitSomebodyElseSpentFirstDoesNoHarm() public {
        address owner = vm.addr(KEY);
        token.mint(owner, 7 * PAN);
        (uint8 v, bytes32 r, bytes32 s) = _permit(owner, 7 * PAN);
        vm.prank(stranger);
        token.permit(owner, address(vault), 7 * PAN, type(uint256).max, v, r, s);
        vm.prank(owner);
        vault.depositWithPermit(7 * PAN, type(uint256).max, v, r, s);
        vm.assertEq(free(owner), 7 * PAN, "credited");
    }

    function test_aTokenThatChargesOnTransferIsRefused() public {
        LossyToken lossy = new LossyToken();
        IVault other =
            IVault(create("Vault", abi.encode(lossy, address(staking), address(market), address(court))));
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongAmountReceived.selector, 100, 99));
        other.deposit(100);
    }

    function test_onlyTheMinterMints() public {
        vm.expectRevert(abi.encodeWithSelector(IPanthaliaToken.NotMinter.selector, stranger));
        vm.prank(stranger);
        token.mint(stranger, 1);
    }

    function _permit(address owner, uint256 amount) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 content = keccak256(
            abi.encode(typehash, owner, address(vault), amount, token.nonces(owner), type(uint256).max)
        );
        return vm.sign(KEY, keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content)));
    }
}

contract LossyToken {
    mapping(address => uint256) public balanceOf;

    function transferFrom(address, address to, uint256 amount) external returns (bool) {
        balanceOf[to] += amount - 1;
        return true;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IPanthaliaToken} from "../../../contracts/interfaces/IPanthaliaToken.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {SilentToken} from "../support/Tokens.sol";
import {VaultWorld} from "../support/VaultWorld.sol";

contract DepositWithPermitTest is VaultWorld {
    uint256 private constant KEY = 0xa11ce;
    uint256 private constant AMOUNT = 7 * PAN;
    uint256 private constant FOREVER = type(uint256).max;

    address private owner;

    function setUp() public override {
        super.setUp();
        owner = vm.addr(KEY);
        token.mint(owner, AMOUNT);
    }

    function test_aSignatureReplacesTheApproval() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, FOREVER);
        vm.expectEmit(address(vault));
        emit IVault.Deposited(owner, AMOUNT);
        _deposit(FOREVER, v, r, s);
        vm.assertEq(free(owner), AMOUNT, "credited");
    }

    function test_aSignatureSomebodyElseSpentFirstDoesNoHarm() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, FOREVER);
        vm.prank(stranger);
        token.permit(owner, address(vault), AMOUNT, FOREVER, v, r, s);
        _deposit(FOREVER, v, r, s);
        vm.assertEq(free(owner), AMOUNT, "credited");
    }

    function test_RevertWhen_anotherSigned() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(0xb0b, FOREVER);
        vm.expectRevert(_failed(owner));
        _deposit(FOREVER, v, r, s);
    }

    function test_aBadSignatureDoesNotMatterBesideAnAllowance() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(0xb0b, FOREVER);
        vm.prank(owner);
        token.approve(address(vault), AMOUNT);
        _deposit(FOREVER, v, r, s);
        vm.assertEq(free(owner), AMOUNT, "credited");
    }

    function test_aSignatureHoldsUpToItsDeadline() public {
        uint256 deadline = vm.getBlockTimestamp() + 60;
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, deadline);
        vm.warp(deadline + 1);
        vm.expectRevert(_failed(owner));
        _deposit(deadline, v, r, s);
        vm.warp(deadline);
        _deposit(deadline, v, r, s);
        vm.assertEq(free(owner), AMOUNT, "credited");
    }

    /// @dev Whoever signs for itself pays for itself: the caller's account is credited from the caller's wallet.
    function test_RevertWhen_aSignatureIsUsedByAnotherCaller() public {
        (uint8 v, bytes32 r, bytes32 s) = _permit(KEY, FOREVER);
        vm.expectRevert(_failed(stranger));
        vm.prank(stranger);
        vault.depositWithPermit(AMOUNT, FOREVER, v, r, s);
    }

    function test_aTokenWithoutPermitTakesTheAllowance() public {
        SilentToken silent = new SilentToken();
        IVault over = vaultOver(address(silent));
        silent.give(address(this), 5);
        over.depositWithPermit(5, FOREVER, 0, 0, 0);
        vm.assertEq(over.balanceOf(address(this)), 5, "credited");
    }

    /// @dev The same signer, spender, amount and nonce, and another token's domain.
    function test_RevertWhen_theSignatureIsForAForeignToken() public {
        IPanthaliaToken foreign = IPanthaliaToken(create("PanthaliaToken", abi.encode(address(this))));
        foreign.mint(owner, AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = _permit(foreign, KEY, FOREVER);
        vm.expectRevert(_failed(owner));
        _deposit(FOREVER, v, r, s);
        vm.assertEq(foreign.balanceOf(owner), AMOUNT, "untouched");
    }

    function _failed(address from) private view returns (bytes memory) {
        return abi.encodeWithSelector(IVault.TransferFailed.selector, from, address(vault), AMOUNT);
    }

    function _deposit(uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        vm.prank(owner);
        vault.depositWithPermit(AMOUNT, deadline, v, r, s);
    }

    function _permit(uint256 key, uint256 deadline) private view returns (uint8 v, bytes32 r, bytes32 s) {
        return _permit(token, key, deadline);
    }

    function _permit(IPanthaliaToken over, uint256 key, uint256 deadline)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 content =
            keccak256(abi.encode(typehash, owner, address(vault), AMOUNT, over.nonces(owner), deadline));
        return vm.sign(key, keccak256(abi.encodePacked("\x19\x01", over.DOMAIN_SEPARATOR(), content)));
    }
}

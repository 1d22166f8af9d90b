// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {GasWorld} from "./GasWorld.sol";

/// forge-config: default.isolate = true
contract VaultGas is GasWorld {
    uint256 private constant KEY = 0xA11CE;

    function test_deposit() public {
        token.mint(stranger, 2 * PAN);
        vm.prank(stranger);
        token.approve(address(vault), 2 * PAN);
        vm.prank(stranger);
        vault.deposit(PAN);
        vm.snapshotGasLastCall("vault", "deposit, first of an account");
        vm.prank(stranger);
        vault.deposit(PAN / 2);
        vm.snapshotGasLastCall("vault", "deposit");
    }

    function test_depositWithPermit() public {
        address owner = vm.addr(KEY);
        token.mint(owner, 2 * PAN);
        uint256 deadline = vm.getBlockTimestamp() + 60;
        bytes32 typeHash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 message =
            keccak256(abi.encode(typeHash, owner, address(vault), PAN, token.nonces(owner), deadline));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), message));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        vm.prank(owner);
        vault.depositWithPermit(PAN, deadline, v, r, s);
        vm.snapshotGasLastCall("vault", "depositWithPermit, first of an account");
    }

    function test_withdraw() public {
        vm.prank(buyer);
        vault.withdraw(buyer, PAN);
        vm.prank(buyer);
        vault.withdraw(buyer, PAN);
        vm.snapshotGasLastCall("vault", "withdraw");
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {World} from "../support/World.sol";

contract PermitTest is World {
    uint256 private constant KEY = 0xa11ce;

    function test_aPermitApprovesOnce() public {
        address owner = vm.addr(KEY);
        bytes32 digest = _digest(owner, 0);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        token.permit(owner, stranger, 9, type(uint256).max, v, r, s);
        vm.assertEq(token.allowance(owner, stranger), 9, "allowance");
        vm.assertEq(token.nonces(owner), 1, "nonce");
        address other = ecrecover(_digest(owner, 1), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612InvalidSigner.selector, other, owner));
        token.permit(owner, stranger, 9, type(uint256).max, v, r, s);
    }

    function _digest(address owner, uint256 nonce) private view returns (bytes32) {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 content =
            keccak256(abi.encode(typehash, owner, stranger, uint256(9), nonce, type(uint256).max));
        return keccak256(abi.encodePacked("\x19\x01", token.DOMAIN_SEPARATOR(), content));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IPanthaliaToken} from "../../../contracts/interfaces/IPanthaliaToken.sol";
import {World} from "../support/World.sol";

contract TokenTest is World {
    uint256 private constant KEY = 0xa11ce;

    function test_RevertWhen_anotherThanTheMinterMints() public {
        vm.assertEq(token.minter(), address(this), "minter");
        vm.expectRevert(abi.encodeWithSelector(IPanthaliaToken.NotMinter.selector, stranger));
        vm.prank(stranger);
        token.mint(stranger, 1);
        token.mint(stranger, 1);
        vm.assertEq(token.balanceOf(stranger), 1, "minted");
    }

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

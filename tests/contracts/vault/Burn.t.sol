// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {CallingToken} from "../support/Tokens.sol";
import {VaultWorld} from "../support/VaultWorld.sol";

contract BurnTest is VaultWorld {
    function test_RevertWhen_theCallerIsNoModule() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.NotModule.selector, buyer));
        vm.prank(buyer);
        vault.burn(1);
    }

    /// @dev Only its own: what others have in the vault is out of its reach but for `move`.
    function test_RevertWhen_theModuleHasLess() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, address(court), 1, 0));
        vm.prank(address(court));
        vault.burn(1);
    }

    function test_everyModuleDestroysTokens() public {
        address[4] memory modules = [address(staking), address(market), address(court), address(challenge)];
        uint256 supply = token.totalSupply();
        uint256 inVault = token.balanceOf(address(vault));
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(modules[i]);
            vault.move(buyer, modules[i], 2 * PAN);
            vm.expectEmit(address(vault));
            emit IVault.Burned(2 * PAN);
            vm.prank(modules[i]);
            vault.burn(2 * PAN);
            vm.assertEq(free(modules[i]), 0, "debited");
        }
        vm.assertEq(token.totalSupply(), supply - 8 * PAN, "supply");
        vm.assertEq(token.balanceOf(address(vault)), inVault - 8 * PAN, "out of the vault");
        vm.assertEq(vault.totalBurned(), 8 * PAN, "counted");
    }

    function test_RevertWhen_theTokenCallsBack() public {
        (IVault over, CallingToken calling) = callingVault();
        closedDuring(over, calling, _burnOne);
        vm.assertEq(over.totalBurned(), 3, "once each");
    }

    function _burnOne(IVault over) private {
        over.burn(1);
    }
}

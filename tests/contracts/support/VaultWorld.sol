// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {CallingToken} from "./Tokens.sol";
import {World} from "./World.sol";

/// @dev A vault over any token, whose modules are this test.
abstract contract VaultWorld is World {
    function vaultOver(address token_) internal returns (IVault) {
        address module = address(this);
        return IVault(create("Vault", abi.encode(token_, module, module, module, module, module, module)));
    }

    /// @dev The token is an account of its own: it could withdraw what it has, were it let in.
    function callingVault() internal returns (IVault over, CallingToken calling) {
        calling = new CallingToken();
        over = vaultOver(address(calling));
        calling.give(address(this), 100);
        over.deposit(100);
        over.move(address(this), address(calling), 50);
    }

    /// @dev Every entry point that moves tokens is closed while `during` runs.
    function closedDuring(IVault over, CallingToken calling, function(IVault) during) internal {
        bytes[3] memory calls = [
            abi.encodeCall(IVault.deposit, (1)),
            abi.encodeCall(IVault.depositWithPermit, (1, 0, 0, 0, 0)),
            abi.encodeCall(IVault.withdraw, (address(calling), 1))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            calling.callBackWith(calls[i]);
            during(over);
            vm.assertTrue(!calling.succeeded(), "the call back went through");
            vm.assertEq(
                bytes32(calling.answer()),
                bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "refused as a call back"
            );
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {TraceWorld} from "../support/TraceWorld.sol";
import {Test} from "../support/Vm.sol";

/// @dev What a transaction costs. Each call of a test is a transaction of its own (isolate), with cold storage, so
/// a figure holds everything its sender pays. `npm run gas` compares with the files in snapshots/, group by group.
abstract contract GasWorld is TraceWorld {
    /// @dev A view is no transaction where it is called as one.
    function transact(address target, bytes memory data) internal {
        (bool success,) = target.call(data);
        vm.assertTrue(success, "transaction");
    }

    /// @dev Strangers that stake one seat each, all in one call, for thousands of transactions take their time. Their
    /// tokens are written into the vault, which changes nothing that is measured.
    function crowd(uint256 size, Role role) internal {
        (uint256 bond, uint32 bonds) = staking.bondOf(subnet, role);
        Crowd joining = new Crowd();
        vm.allowCheatcodes(address(joining));
        for (uint256 joined = 0; joined < size; joined += 200) {
            joining.join(vault, staking, subnet, role, bond * bonds, joined, joined + 200);
        }
        token.mint(address(vault), size * bond * bonds);
        nextEpoch();
    }
}

contract Crowd is Test {
    /// @dev Slot of Vault.balanceOf.
    uint256 private constant BALANCES = 0;

    function join(
        IVault vault,
        IStaking staking,
        uint32 subnet,
        Role role,
        uint256 amount,
        uint256 from,
        uint256 to
    ) external {
        for (uint256 i = from; i < to; ++i) {
            address account = address(uint160(0x10000 + i));
            vm.store(address(vault), keccak256(abi.encode(account, BALANCES)), bytes32(amount));
            vm.prank(account);
            staking.stake(subnet, role, 1);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Role} from "../../../contracts/interfaces/IStaking.sol";
import {Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {Contracts} from "./Contracts.sol";
import {Headers} from "./Headers.sol";

/// @dev Money and stake of accounts, and the time that both wait for.
abstract contract Accounts is Contracts, Headers {
    address internal immutable buyer = actor("buyer");
    address internal immutable dora = actor("dora, a disputer");
    address internal immutable stranger = actor("stranger");
    address[] internal workers;
    uint32 internal subnet;

    function fund(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(vault), amount);
        vm.prank(account);
        vault.deposit(amount);
    }

    function stake(address account, Role role, uint32 seats) internal {
        vm.prank(account);
        staking.stake(subnet, role, seats);
    }

    /// @dev Everybody solves and verifies, drawable at once.
    function stakeAll(uint32 solverSeats, uint32 verifierSeats) internal {
        for (uint256 i = 0; i < workers.length; ++i) {
            stake(workers[i], Role.Solver, solverSeats);
            stake(workers[i], Role.Verifier, verifierSeats);
        }
        nextEpoch();
    }

    function free(address account) internal view returns (uint256) {
        return vault.balanceOf(account);
    }

    function staked(address account, Role role) internal view returns (uint256) {
        return staking.positionOf(subnet, role, account).amount;
    }

    /// @dev All an account owns, wherever it is.
    function wealth(address account) internal view returns (uint256) {
        return free(account) + staked(account, Role.Solver) + staked(account, Role.Verifier);
    }

    /// @dev Into the next epoch, with the seed that draws in it need.
    function nextEpoch() internal virtual {
        uint32 epoch = beacon.currentEpoch();
        mine(beacon.targetBlock(epoch) + 1);
        beacon.fulfil(epoch, headerOf(beacon.targetBlock(epoch)));
    }

    /// @dev Go to block `number`, and give the blocks before it the hashes of `headerOf`.
    function mine(uint256 number) internal {
        vm.roll(number);
        vm.setBlockhash(number - 1, keccak256(headerOf(number - 1)));
    }

    /// @dev A version of the parameters of `subnet`, and its notice.
    function useParams(Params memory params) internal {
        registry.addParams(subnet, params);
        for (uint32 epochs = 0; epochs < params.cooldownEpochs; ++epochs) {
            nextEpoch();
        }
    }

    function pass(uint256 duration) internal {
        vm.warp(vm.getBlockTimestamp() + duration);
    }
}

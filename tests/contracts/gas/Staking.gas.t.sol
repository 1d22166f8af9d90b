// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, Role} from "../../../contracts/interfaces/IStaking.sol";
import {GasWorld} from "./GasWorld.sol";

/// @dev The same calls among few and among many.
abstract contract StakingGas is GasWorld {
    function stakers() internal pure virtual returns (uint256);

    function setUp() public override {
        super.setUp();
        crowd(stakers(), Role.Verifier);
    }

    function test_stake() public {
        fund(stranger, PURSE);
        stake(stranger, Role.Verifier, 1);
        _snapshot("stake, a new position");
        nextEpoch();
        stake(stranger, Role.Verifier, 1);
        _snapshot("stake, more seats");
        nextEpoch();
        vm.prank(stranger);
        staking.requestUnstake(subnet, Role.Verifier, 1);
        _snapshot("requestUnstake");
        nextEpoch();
        nextEpoch();
        vm.prank(stranger);
        staking.withdrawStake(subnet, Role.Verifier);
        _snapshot("withdrawStake");
    }

    function test_drawThreeSeats() public {
        stake(workers[0], Role.Solver, 1);
        nextEpoch();
        (bytes32 id,) = disputed();
        nextEpoch();
        drawSeats(id);
        _snapshot("drawSeats, 3 seats");
    }

    /// @dev As the court calls it for a seat, but in a transaction of its own: 22,504 of the figure are the transaction's.
    function test_oneDraw() public {
        uint32 epoch = beacon.currentEpoch();
        vm.prank(address(court));
        staking.draw(subnet, Role.Verifier, keccak256("entropy"), stranger, epoch, 1);
        _snapshot("draw, as a transaction");
    }

    /// @dev Of one draw: the tree and the owner of what it finds.
    function test_ownerOfTicket() public {
        transact(
            address(staking),
            abi.encodeCall(IStaking.ownerOfTicket, (subnet, Role.Verifier, stakers() * 5 / 7))
        );
        _snapshot("ownerOfTicket, as a transaction");
    }

    function _snapshot(string memory name) private {
        vm.snapshotGasLastCall("staking", _named(name));
    }

    function _named(string memory name) private pure returns (string memory) {
        return string.concat(name, "; stakers: ", vm.toString(stakers()));
    }
}

/// forge-config: default.isolate = true
contract StakingGas200 is StakingGas {
    function stakers() internal pure override returns (uint256) {
        return 200;
    }
}

/// forge-config: default.isolate = true
contract StakingGas10000 is StakingGas {
    function stakers() internal pure override returns (uint256) {
        return 10_000;
    }
}

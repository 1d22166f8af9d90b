// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IStaking, PositionView, Role} from "../../../contracts/interfaces/IStaking.sol";
import {World} from "./World.sol";

/// @dev One account whose position every test of Staking is about.
abstract contract StakingWorld is World {
    address internal alice;

    function setUp() public virtual override {
        super.setUp();
        alice = workers[0];
    }

    function _position(Role role) internal view returns (PositionView memory) {
        return staking.positionOf(subnet, role, alice);
    }

    function _requestUnstake(Role role, uint32 seats) internal {
        vm.prank(alice);
        staking.requestUnstake(subnet, role, seats);
    }

    function _withdraw(Role role) internal {
        vm.prank(alice);
        staking.withdrawStake(subnet, role);
    }

    function _drawVerifier(bytes32 entropy, address excluded) internal returns (address) {
        uint32 epoch = beacon.currentEpoch();
        vm.prank(address(court));
        return staking.draw(subnet, Role.Verifier, entropy, excluded, epoch, 1);
    }

    function _drawSolver(bytes32 entropy) internal returns (address) {
        return _drawSolver(entropy, 1);
    }

    /// @param version of the task's parameters
    function _drawSolver(bytes32 entropy, uint32 version) internal returns (address) {
        uint32 epoch = beacon.currentEpoch();
        vm.prank(address(market));
        return staking.draw(subnet, Role.Solver, entropy, address(0), epoch, version);
    }

    function _loseABond() internal {
        _drawVerifier("x", address(0));
        vm.expectEmit(address(staking));
        emit IStaking.SeatSlashed(subnet, Role.Verifier, alice, BOND, "case");
        vm.prank(address(court));
        staking.forfeit(subnet, Role.Verifier, alice, BOND, "case");
    }

    function _convict() internal {
        _drawSolver("x");
        vm.expectEmit(address(staking));
        emit IStaking.SeatSlashed(subnet, Role.Solver, alice, STAKE, "task");
        vm.expectEmit(address(staking));
        emit IStaking.PositionJailed(subnet, Role.Solver, alice);
        vm.prank(address(market));
        staking.convict(subnet, Role.Solver, alice, STAKE, "task");
    }

    /// @dev A call that draws, frees or takes bonds belongs to the module that draws the role.
    /// @param selector of a call that begins with subnet and role; arguments that it does not have are not read
    function _isTheDrawersOfTheRole(bytes4 selector) internal {
        address[3] memory callers = [stranger, address(court), address(market)];
        for (uint256 i = 0; i < 3; ++i) {
            Role role = i == 2 ? Role.Verifier : Role.Solver;
            vm.prank(callers[i]);
            (bool ok, bytes memory answer) =
                address(staking).call(abi.encodeWithSelector(selector, subnet, role, alice, 1, 0, 0));
            vm.assertTrue(!ok, "refused");
            bytes memory reason = abi.encodeWithSelector(IStaking.NotAllowed.selector, callers[i], role);
            vm.assertEq(keccak256(answer), keccak256(reason), "with caller and role");
        }
    }
}

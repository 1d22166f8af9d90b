// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {CheckState} from "../../../contracts/interfaces/IAudit.sol";
import {Verdict} from "../../../contracts/interfaces/ICourt.sol";
import {IRandomnessSource} from "../../../contracts/interfaces/IRandomnessSource.sol";
import {TaskStatus} from "../../../contracts/interfaces/ITaskMarket.sol";
import {EpochClock, EpochClocks} from "../../../contracts/libraries/EpochClock.sol";
import {AuditWorld} from "../audit/AuditWorld.sol";

/// @dev Another source than the beacon: epochs are seconds and not blocks, and seeds are signed by somebody who is trusted, as a
/// network of signers publishes them on chains without RANDAO.
contract SignedSeeds is IRandomnessSource {
    uint256 public constant EPOCH_SECONDS = 10;

    address private immutable _signer;

    mapping(uint32 epoch => bytes32) private _seeds;

    constructor(address signer) {
        _signer = signer;
    }

    function tell(uint32 epoch, uint8 v, bytes32 r, bytes32 s) external {
        require(
            epoch < currentEpoch() && ecrecover(messageOf(epoch), v, r, s) == _signer, SeedNotKnown(epoch)
        );
        _seeds[epoch] = keccak256(abi.encode(r, s));
    }

    function seed(uint32 epoch) external view returns (bytes32 value, bool ready) {
        value = _seeds[epoch];
        ready = value != 0;
    }

    function currentEpoch() public view returns (uint32) {
        return uint32(block.timestamp / EPOCH_SECONDS);
    }

    function clock() external pure returns (EpochClock) {
        return EpochClocks.ofSeconds(EPOCH_SECONDS);
    }

    function messageOf(uint32 epoch) public view returns (bytes32) {
        return keccak256(abi.encode("seed", address(this), epoch));
    }
}

/// @dev The market with it, from posting to payment: whatever is drawn is drawn with its seeds, and nothing but its interface
/// is asked for.
contract OtherSourceTest is AuditWorld {
    uint256 private constant KEY = 0x5eed;

    SignedSeeds private _source;

    function deploySource() internal override returns (address) {
        _source = new SignedSeeds(vm.addr(KEY));
        return address(_source);
    }

    function test_aTaskIsSolvedCheckedAndDisputedWithTheSeedsOfAnotherSource() public {
        bytes32 id = postOne();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotDue.selector, id, _now(), _now()));
        assign(id);
        _wait();
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, _now() - 1));
        assign(id);
        _tell();
        assign(id);
        address solver = taskAt(id).solver;
        submitAs(solver, id);

        _wait();
        _tell();
        address checker = drawChecker(id);
        vm.assertTrue(checker != address(0) && checker != solver, "a checker");
        commitCheck(id, answersOf(id));
        openAnswers(id);
        revealCheck(id, answersOf(id));
        assertState(id, CheckState.Over);

        bytes32 caseId = disputeAs(dora, id, 7);
        _wait();
        _tell();
        drawSeats(caseId);
        vote(caseId, unanimous(3, Verdict.Valid));
        settle(caseId);
        vm.warp(deadlineOf(id) + 1);
        finalize(id);
        vm.assertEq(statusOf(id), uint256(TaskStatus.Accepted), "accepted");
    }

    /// @dev Nothing but the seed decides: two sources that differ in one signature draw others.
    function test_theSeedDecidesWhoIsDrawn() public {
        bytes32 id = postOne();
        _wait();
        uint256 others = 0;
        address first;
        for (uint256 n = 0; n < 16; ++n) {
            uint256 before = vm.snapshotState();
            vm.store(address(_source), _placeOf(_now() - 1), keccak256(abi.encode(n)));
            assign(id);
            address drawn_ = taskAt(id).solver;
            vm.revertToState(before);
            if (n == 0) first = drawn_;
            else if (drawn_ != first) ++others;
        }
        vm.assertGe(others, 4, "of fifteen seeds, with four solvers");
    }

    /// @dev A seed that its signer did not sign is none, and no epoch ends early.
    function test_RevertWhen_theSeedIsNotSigned() public {
        uint32 epoch = _now();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _source.messageOf(epoch));
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, epoch));
        _source.tell(epoch, v, r, s);
        _wait();
        (v, r, s) = vm.sign(KEY + 1, _source.messageOf(epoch));
        vm.expectRevert(abi.encodeWithSelector(IRandomnessSource.SeedNotKnown.selector, epoch));
        _source.tell(epoch, v, r, s);
    }

    /// @dev World's, which stakeAll calls.
    function nextEpoch() internal override {
        _wait();
        _tell();
    }

    function _now() private view returns (uint32) {
        return _source.currentEpoch();
    }

    function _wait() private {
        pass(_source.EPOCH_SECONDS());
    }

    function _tell() private {
        uint32 epoch = _now() - 1;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, _source.messageOf(epoch));
        _source.tell(epoch, v, r, s);
    }

    /// @dev Slot 0 is the mapping of seeds.
    function _placeOf(uint32 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(uint256(epoch), uint256(0)));
    }
}

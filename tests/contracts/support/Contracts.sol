// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IAudit} from "../../../contracts/interfaces/IAudit.sol";
import {ICourt} from "../../../contracts/interfaces/ICourt.sol";
import {IPanthaliaLens} from "../../../contracts/interfaces/IPanthaliaLens.sol";
import {IPanthaliaToken} from "../../../contracts/interfaces/IPanthaliaToken.sol";
import {IRandomnessBeacon} from "../../../contracts/interfaces/IRandomnessBeacon.sol";
import {IReputation} from "../../../contracts/interfaces/IReputation.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {IStateRegistry} from "../../../contracts/interfaces/IStateRegistry.sol";
import {IStepChallenge} from "../../../contracts/interfaces/IStepChallenge.sol";
import {ISubnetRegistry, Params} from "../../../contracts/interfaces/ISubnetRegistry.sol";
import {ITaskMarket} from "../../../contracts/interfaces/ITaskMarket.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {Test} from "./Vm.sol";

/// @dev Every contract, deployed and wired as in production, and the default numbers of a subnet.
abstract contract Contracts is Test {
    uint256 internal constant PAN = 1e18;
    uint256 internal constant PRICE = 10 * PAN;
    uint256 internal constant STAKE = 100 * PAN;
    uint256 internal constant BOND = 40 * PAN;
    uint256 internal constant EPOCH_BLOCKS = 4;
    uint256 internal constant SUBNET_BOND = 100 * PAN;
    uint32 internal constant LEAST_WINDOW = 12;

    IPanthaliaToken internal token;
    ISubnetRegistry internal registry;
    IRandomnessBeacon internal beacon;
    IVault internal vault;
    IStaking internal staking;
    ITaskMarket internal market;
    ICourt internal court;
    IStepChallenge internal challenge;
    IAudit internal audit;
    IReputation internal reputation;
    IStateRegistry internal states;
    IPanthaliaLens internal lens;

    /// @dev Addresses are known before the contracts are there: each names the others in its constructor.
    function deploy() internal {
        uint256 nonce = vm.getNonce(address(this));
        address beacon_ = vm.computeCreateAddress(address(this), nonce + 2);
        address vault_ = vm.computeCreateAddress(address(this), nonce + 3);
        address staking_ = vm.computeCreateAddress(address(this), nonce + 4);
        address market_ = vm.computeCreateAddress(address(this), nonce + 5);
        address court_ = vm.computeCreateAddress(address(this), nonce + 6);
        address challenge_ = vm.computeCreateAddress(address(this), nonce + 7);
        address audit_ = vm.computeCreateAddress(address(this), nonce + 8);
        address reputation_ = vm.computeCreateAddress(address(this), nonce + 9);
        token = IPanthaliaToken(create("PanthaliaToken", abi.encode(address(this))));
        bytes memory bounds = abi.encode(vault_, beacon_, SUBNET_BOND, LEAST_WINDOW);
        registry = ISubnetRegistry(create("SubnetRegistry", bounds));
        beacon = IRandomnessBeacon(deploySource());
        bytes memory modules = abi.encode(token, registry, staking_, market_, court_, challenge_, audit_);
        vault = IVault(create("Vault", modules));
        staking = IStaking(create("Staking", abi.encode(vault, registry, beacon, market_, court_, audit_)));
        market = ITaskMarket(
            create(
                "TaskMarket",
                abi.encode(vault, registry, staking, beacon, court_, challenge_, audit_, reputation_)
            )
        );
        court = ICourt(create("Court", abi.encode(vault, registry, staking, beacon, market, challenge_)));
        challenge = IStepChallenge(create("StepChallenge", abi.encode(vault, registry, market, court)));
        audit = IAudit(create("Audit", abi.encode(vault, registry, staking, beacon, market, reputation_)));
        reputation = IReputation(create("Reputation", abi.encode(market, audit)));
        states = IStateRegistry(create("StateRegistry", abi.encode(market)));
        bytes memory read = abi.encode(vault, registry, staking, beacon, market, court, challenge, audit);
        lens = IPanthaliaLens(create("PanthaliaLens", read));
    }

    /// @dev One contract.
    function deploySource() internal virtual returns (address) {
        return create("RandomnessBeacon", abi.encode(EPOCH_BLOCKS, 0));
    }

    /// @dev From the artifact and not with `new`, which would compile every contract again into every test.
    function create(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        vm.assertTrue(created != address(0), name);
    }

    /// @dev Checks as in localParams of src/chain/params.ts: 30 % of steps, 11 % to 50 % of whole tasks.
    function defaultParams() internal pure returns (Params memory) {
        return Params({
            minPrice: uint96(PRICE),
            solverStake: uint96(STAKE),
            openSeconds: 60,
            solveSeconds: 600,
            verifierFee: uint96(10 * PAN),
            seatBond: uint96(BOND),
            challengeSeconds: 120,
            commitSeconds: 600,
            revealSeconds: 40,
            appealSeconds: 30,
            cooldownEpochs: 2,
            exposure: 4,
            maxAttempts: 3,
            panelStart: 3,
            panelStep: 2,
            maxRounds: 3,
            bountyBps: 3_000,
            buyerBps: 1_000,
            burnBps: 3_000,
            livenessBps: 1_000,
            panelDoubles: false,
            terminalPanel: 0,
            auditSteps: 2,
            stepAuditRate: 1_288_490_188,
            pMin: 472_446_402,
            pMax: 2 ** 31,
            scoreHalf: 8,
            delayBps: 1_000,
            commitBondBps: 5_000,
            clockSeconds: 600,
            computeCost: uint96(PRICE),
            outsideGain: 0,
            adversaryBps: 1_000
        });
    }
}

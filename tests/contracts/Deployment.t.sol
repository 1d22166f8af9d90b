// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {ISubnetRegistry} from "../../contracts/interfaces/ISubnetRegistry.sol";
import {World} from "./support/World.sol";

interface IWired {
    function vault() external view returns (address);
    function registry() external view returns (address);
    function staking() external view returns (address);
    function beacon() external view returns (address);
    function market() external view returns (address);
    function court() external view returns (address);
}

contract DeploymentTest is World {
    function test_theContractsNameEachOther() public view {
        vm.assertEq(vault.token(), address(token), "token of the vault");
        vm.assertEq(vault.registry(), address(registry), "registry of the vault");
        vm.assertEq(IWired(address(registry)).vault(), address(vault), "vault of the registry");
        vm.assertEq(IWired(address(registry)).beacon(), address(beacon), "beacon of the registry");
        vm.assertEq(registry.leastWindow(), LEAST_WINDOW, "shortest window");
        vm.assertEq(vault.staking(), address(staking), "staking of the vault");
        vm.assertEq(vault.market(), address(market), "market of the vault");
        vm.assertEq(vault.court(), address(court), "court of the vault");
        address[3] memory modules = [address(staking), address(market), address(court)];
        for (uint256 i = 0; i < 3; ++i) {
            IWired module = IWired(modules[i]);
            vm.assertEq(module.vault(), address(vault), "vault");
            vm.assertEq(module.registry(), address(registry), "registry");
            vm.assertEq(module.beacon(), address(beacon), "beacon");
            if (i != 0) vm.assertEq(module.staking(), address(staking), "staking");
            if (i != 1) vm.assertEq(module.market(), address(market), "market");
            if (i != 2) vm.assertEq(module.court(), address(court), "court");
        }
    }

    /// @dev Or a window of no time would fit every subnet.
    function test_thereIsAShortestWindow() public {
        (address none, bytes memory reason) = _registryOf(0);
        vm.assertEq(none, address(0), "not deployed");
        bytes memory expected = abi.encodeWithSelector(ISubnetRegistry.LeastWindowIsZero.selector);
        vm.assertEq(keccak256(reason), keccak256(expected), "and why");
        (address one,) = _registryOf(1);
        vm.assertEq(ISubnetRegistry(one).leastWindow(), 1, "a second is one");
    }

    function _registryOf(uint32 leastWindow) private returns (address created, bytes memory reason) {
        bytes memory code = abi.encodePacked(
            vm.getCode("SubnetRegistry.sol:SubnetRegistry"),
            abi.encode(vault, beacon, SUBNET_BOND, leastWindow)
        );
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            reason := mload(0x40)
            mstore(reason, returndatasize())
            returndatacopy(add(reason, 0x20), 0, returndatasize())
            mstore(0x40, add(reason, add(0x40, returndatasize())))
        }
    }

    /// @dev EIP-170 allows 24,576.
    function test_everyContractIsBelow22000Bytes() public view {
        vm.assertLt(address(token).code.length, 22_000, "PanthaliaToken");
        vm.assertLt(address(vault).code.length, 22_000, "Vault");
        vm.assertLt(address(registry).code.length, 22_000, "SubnetRegistry");
        vm.assertLt(address(staking).code.length, 22_000, "Staking");
        vm.assertLt(address(beacon).code.length, 22_000, "RandomnessBeacon");
        vm.assertLt(address(market).code.length, 22_000, "TaskMarket");
        vm.assertLt(address(court).code.length, 22_000, "Court");
        vm.assertLt(address(challenge).code.length, 22_000, "StepChallenge");
        vm.assertLt(address(audit).code.length, 22_000, "Audit");
        vm.assertLt(address(reputation).code.length, 22_000, "Reputation");
        vm.assertLt(address(states).code.length, 22_000, "StateRegistry");
        vm.assertLt(address(lens).code.length, 22_000, "PanthaliaLens");
    }
}

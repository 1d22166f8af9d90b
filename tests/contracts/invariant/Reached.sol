// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {Test} from "../support/Vm.sol";
import {Handler} from "./Handler.sol";

/// @dev What forge tells about the calls between two points in time; only Vm.AccountAccess has more at its end.
interface Recorder {
    struct StorageAccess {
        address account;
        bytes32 slot;
        bool isWrite;
        bytes32 previousValue;
        bytes32 newValue;
        bool reverted;
    }

    struct Access {
        uint256 forkId;
        uint256 chainId;
        uint8 kind;
        address account;
        address accessor;
        bool initialized;
        uint256 oldBalance;
        uint256 newBalance;
        bytes deployedCode;
        uint256 value;
        bytes data;
        bool reverted;
        StorageAccess[] storageAccesses;
    }

    function startStateDiffRecording() external;
    function stopAndReturnStateDiff() external returns (Access[] memory);
}

/// @dev Which entry points calls went through to, and not only as far as a refusal.
abstract contract Reached is Test {
    struct EntryPoint {
        string name;
        bool isReached;
    }

    uint8 private constant CALL = 0;

    EntryPoint[] internal entryPoints;
    /// from 1
    mapping(address place => mapping(bytes4 selector => uint256)) private _numberOf;
    uint256 private _found;

    /// @dev A step, and the calls in it that succeeded; once all are found nothing is recorded, which takes time. An external
    /// function, so that the memory of a step is free after it.
    function recordedStep(Handler handler, uint256 seed) external {
        if (_found == entryPoints.length) return handler.step(seed);
        Recorder recorder = Recorder(address(vm));
        recorder.startStateDiffRecording();
        handler.step(seed);
        Recorder.Access[] memory calls = recorder.stopAndReturnStateDiff();
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].kind != CALL || calls[i].reverted) continue;
            uint256 number = _numberOf[calls[i].account][bytes4(calls[i].data)];
            if (number == 0 || entryPoints[number - 1].isReached) continue;
            entryPoints[number - 1].isReached = true;
            ++_found;
        }
    }

    /// @dev What is where, by the ABIs of the artifacts.
    function listEntryPoints(Handler handler) internal {
        (string[12] memory names, address[12] memory places) = handler.deployed();
        for (uint256 i = 0; i < names.length; ++i) {
            string memory json = vm.readFile(_artifactOf(names[i]));
            string[] memory signatures = vm.parseJsonKeys(json, ".methodIdentifiers");
            string[] memory changing = _changing(json);
            for (uint256 n = 0; n < changing.length; ++n) {
                entryPoints.push(EntryPoint(string.concat(names[i], ".", changing[n]), false));
                _numberOf[places[i]][_selectorOf(changing[n], signatures)] = entryPoints.length;
            }
        }
        vm.assertGe(entryPoints.length, 60, "entry points");
    }

    /// @dev As foundry.toml says where artifacts lie.
    function _artifactOf(string memory name) private view returns (string memory) {
        bool isCoverage = keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", "default"))) == keccak256("coverage");
        string memory folder = isCoverage ? "build/coverage/out/" : "out/";
        return string.concat(folder, name, ".sol/", name, ".json");
    }

    /// @dev Names of the functions that may change something.
    function _changing(string memory json) private pure returns (string[] memory names) {
        string memory functions = ".abi[?(@.type == 'function')]";
        names = abi.decode(vm.parseJson(json, string.concat(functions, ".name")), (string[]));
        bytes memory kinds = vm.parseJson(json, string.concat(functions, ".stateMutability"));
        string[] memory mutabilities = abi.decode(kinds, (string[]));
        uint256 count = 0;
        for (uint256 i = 0; i < names.length; ++i) {
            bytes32 kind = keccak256(bytes(mutabilities[i]));
            if (kind != keccak256("view") && kind != keccak256("pure")) names[count++] = names[i];
        }
        assembly ("memory-safe") {
            mstore(names, count)
        }
    }

    function _selectorOf(string memory name, string[] memory signatures) private pure returns (bytes4) {
        bytes memory head = abi.encodePacked(name, "(");
        for (uint256 i = 0; i < signatures.length; ++i) {
            bytes memory signature = bytes(signatures[i]);
            uint256 n = 0;
            while (n < head.length && n < signature.length && signature[n] == head[n]) ++n;
            if (n == head.length) return bytes4(keccak256(signature));
        }
        revert(name);
    }
}

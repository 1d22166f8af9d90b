// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// @dev Tokens as they are found in the wild. Each is the least that does the one odd thing.
abstract contract OddToken {
    mapping(address account => uint256) public balanceOf;

    function give(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function _move(address from, address to, uint256 sent, uint256 received) internal {
        balanceOf[from] -= sent;
        balanceOf[to] += received;
    }
}

/// @dev Charges a part of every transfer.
contract TaxToken is OddToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount, amount - 1);
        return true;
    }
}

/// @dev Credits more than was sent, as a rebase in between would.
contract GenerousToken is OddToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount, amount + 1);
        return true;
    }
}

/// @dev Says false where others revert.
contract FalseToken is OddToken {
    function transferFrom(address, address, uint256) external pure returns (bool) {
        return false;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @dev Moves and returns nothing, as USDT does.
contract SilentToken is OddToken {
    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount, amount);
    }
}

/// @dev Calls back whoever moves it, once, and keeps what came of it.
contract CallingToken is OddToken {
    bytes public callback;
    bytes public answer;
    bool public succeeded;

    function callBackWith(bytes calldata data) external {
        callback = data;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _move(from, to, amount, amount);
        _callBack();
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount, amount);
        _callBack();
        return true;
    }

    function burn(uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        _callBack();
    }

    function _callBack() private {
        (succeeded, answer) = msg.sender.call(callback);
    }
}

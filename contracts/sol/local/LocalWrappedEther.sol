// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title LocalWrappedEther
/// @notice Wrapped ether of a chain that stands in for a public network, with the functions by which it is known.
contract LocalWrappedEther is ERC20("Wrapped Ether", "WETH") {
    /// @notice Wraps the ether that is sent.
    receive() external payable {
        deposit();
    }

    /// @notice Gives ether back for `amount` of the caller's tokens.
    function withdraw(uint256 amount) external {
        _burn(msg.sender, amount);
        Address.sendValue(payable(msg.sender), amount);
    }

    /// @notice Wraps the ether that is sent.
    function deposit() public payable {
        _mint(msg.sender, msg.value);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title DataContract
/// @notice Bytes as a contract's code: they never change, and reading them costs one cold access and little more, where as
/// many bytes in storage would cost a cold access for each 32.
library DataContract {
    /// @notice Deploys a contract that holds `data`: at most 24,575 bytes (EIP-170, less one).
    function write(bytes memory data) internal returns (address holder) {
        // The first byte is STOP: a call does nothing.
        return address(new CodeOf(bytes.concat(hex"00", data)));
    }

    /// @notice What the contract `holder`, which `write` deployed, holds.
    function read(address holder) internal view returns (bytes memory data) {
        uint256 length = holder.code.length - 1;
        data = new bytes(length);
        assembly ("memory-safe") {
            extcodecopy(holder, add(data, 0x20), 1, length)
        }
    }
}

/// @dev Deploys as `code`.
contract CodeOf {
    constructor(bytes memory code) {
        assembly ("memory-safe") {
            return(add(code, 0x20), mload(code))
        }
    }
}

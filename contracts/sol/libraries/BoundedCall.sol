// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title BoundedCall
/// @notice Reads contracts that are not Anzen's, where a failing call says something: that a round is absent, that a source
/// cannot be read. So nobody may be able to make it fail.
/// @dev A call gets CALL_GAS, whatever the caller pays, or the whole reverts. More than that it does not get, and no more of
/// what it returns is copied than is asked for: whoever answers cannot make the caller fail either.
library BoundedCall {
    /// @notice The call is not sure to get CALL_GAS: send the transaction with more gas.
    error GasTooLow(uint256 gasLeft);

    /// @dev What a call gets. The dearest that is made, of a price feed's proxy, costs 30,000.
    uint256 internal constant CALL_GAS = 200_000;
    /// @dev More than the call itself costs, of an address that was not called before.
    uint256 private constant CALL_OVERHEAD = 10_000;

    /// @notice Calls a view of `target`.
    /// @param words How many words it has to return, at least.
    /// @return success Whether the call succeeded, and returned as many.
    /// @return output These words; of no meaning without success.
    function read(address target, bytes memory input, uint256 words)
        internal
        view
        returns (bool success, uint256[] memory output)
    {
        output = new uint256[](words);
        // A call gets at most 63 parts in 64 of what is left (EIP-150): make sure that those are enough.
        uint256 gasLeft = gasleft();
        if (gasLeft - gasLeft / 64 < CALL_GAS + CALL_OVERHEAD) revert GasTooLow(gasLeft);
        assembly ("memory-safe") {
            let size := shl(5, words)
            success := staticcall(CALL_GAS, target, add(input, 0x20), mload(input), add(output, 0x20), size)
            success := and(success, iszero(lt(returndatasize(), size)))
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

// Contracts of OpenZeppelin that a deployment uses as they are: imported, so that they are compiled and have artifacts.
// solhint-disable no-unused-import
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";

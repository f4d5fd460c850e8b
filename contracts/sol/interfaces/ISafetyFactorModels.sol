// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title ISafetyFactorModels
/// @notice How safety factors are computed. A model is a list of terms, each `amount x price x share`, on the side of the cost
/// of corruption or of the profit from it; amounts and prices come from sources. A model is named by its hash, never changes
/// and is never removed: a task names its model, and can be disputed for as long as its windows last.
interface ISafetyFactorModels {
    /// @notice What a term adds to.
    enum Side {
        Cost,
        Profit
    }

    /// @notice Where a value comes from. For each kind there is a struct with what it needs to know.
    enum SourceKind {
        Constant,
        QuorumStake,
        FeedRound,
        StorageSlot,
        ViewCall
    }

    /// @param data `abi.encode` of the kind's struct, exactly.
    struct Source {
        SourceKind kind;
        bytes data;
    }

    /// @notice `amount x price x shareBps / 10^decimals / 10_000`: rounded down on the cost side, up on the profit side.
    /// @param shareBps The share that counts, in hundredths of a per cent: 1 to 10,000.
    /// @param decimals Those of amount and price beyond the unit that all terms of the model have in common: at most 60.
    struct Term {
        Side side;
        Source amount;
        Source price;
        uint32 shareBps;
        uint8 decimals;
    }

    /// @param terms 1 to 20, one of the cost side at least.
    struct Model {
        Term[] terms;
    }

    /// @notice A number.
    struct ConstantSource {
        uint256 value;
    }

    /// @notice A quorum's total stake at the reference block.
    /// @param stakeRegistry Anzen's own or another AVS's. It must be on the allow-list when the model is added.
    struct QuorumStakeSource {
        address stakeRegistry;
        uint8 quorumNumber;
    }

    /// @notice The answer of an AggregatorV3 feed in the round that was the latest at the time of the reference block. Its rounds
    /// must never change, nor go away: those of SafetyFactorFeed do, so it is no source.
    /// @dev Aggregators of Chainlink answer accounts but no contracts, so a contract has to ask their proxy, and a round that is
    /// followed by none can only be told within one phase. So the phase is part of the source. Governance puts a new model in
    /// use when a feed enters a new phase; the old phase's rounds get stale meanwhile, and there is no answer.
    /// @param phaseId Zero if `feed` is an aggregator itself, whose rounds count from 1. Else `feed` is a proxy, and its rounds
    /// are those of this phase: `phaseId << 64 | round of the phase's aggregator`.
    /// @param maxAge For how many seconds from its time on an answer is good. Not zero.
    struct FeedRoundSource {
        address feed;
        uint16 phaseId;
        uint32 maxAge;
    }

    /// @notice A slot that must hold `expected` at the reference block, or else there is no answer.
    struct Guard {
        address account;
        bytes32 slot;
        bytes32 expected;
    }

    /// @notice Bytes of a storage slot at the reference block, as an unsigned number.
    /// @param offset How many of the slot's bytes, from the right, stand before them. `offset + width <= 32`.
    /// @param width How many they are; not zero.
    /// @param guards What the slot's meaning depends on, the implementation of a proxy (EIP-1967) say. At most 4.
    struct StorageSlotSource {
        address account;
        bytes32 slot;
        uint8 offset;
        uint8 width;
        Guard[] guards;
    }

    /// @notice What a call at the reference block returns: one uint256, in 32 bytes. Nobody can prove that on chain, so the
    /// committee decides a dispute.
    /// @param callData At most 256 bytes.
    struct ViewCallSource {
        address target;
        bytes callData;
    }

    /// @notice What comes of an evaluation. Everything but `Answer` means that no answer can be signed: any answer is wrong.
    /// @dev `Answer`: there is one. `NoRound`: the feed had no round, or the quorum no history of stake, at the reference block.
    /// `StaleFeed`: the feed's answer was too old. `NoPrice`: a price is zero, or a feed's answer zero or less, whether price or
    /// amount. `GuardMismatch`: a guard's slot holds something else. `CallFailed`: the call reverted, or returned other than 32
    /// bytes. `NoCost`: the cost of corruption is zero. `Overflow`: a product or sum does not fit 256 bits, or the answer an
    /// int128.
    enum Outcome {
        Answer,
        NoRound,
        StaleFeed,
        NoPrice,
        GuardMismatch,
        CallFailed,
        NoCost,
        Overflow
    }

    /// @notice What a source held at the reference block.
    /// @param outcome `Answer`, or why there is no value.
    struct Reading {
        Outcome outcome;
        uint256 value;
    }

    /// @notice A term whose sources have been read.
    struct ReadTerm {
        Side side;
        Reading amount;
        Reading price;
        uint32 shareBps;
        uint8 decimals;
    }

    /// @notice A model was added. `provable`: see isProvable.
    event ModelAdded(bytes32 indexed modelHash, bool provable, Model model);
    /// @notice New models may read this registry's stakes.
    event StakeRegistryAllowed(address indexed stakeRegistry);
    /// @notice New models may no longer read this registry's stakes.
    event StakeRegistryForbidden(address indexed stakeRegistry);

    /// @notice An address that must not be zero is.
    error ZeroAddress();
    /// @notice There is no code at this address.
    error NotAContract(address account);
    /// @notice The stake registry is allowed already.
    error StakeRegistryIsAllowed(address stakeRegistry);
    /// @notice The stake registry is not on the allow-list.
    error StakeRegistryNotAllowed(address stakeRegistry);
    /// @notice The model has been added already.
    error ModelExists(bytes32 modelHash);
    /// @notice There is no model of this hash.
    error UnknownModel(bytes32 modelHash);
    /// @notice A model has 1 to 20 terms.
    error TermCountOutOfRange(uint256 count);
    /// @notice No term is on the cost side, so there would never be an answer.
    error NoCostTerm();
    /// @notice The model reads more storage slots, guards included, than a dispute can prove in one transaction: MAX_SLOTS.
    error TooManySlots(uint256 count);
    /// @notice A share is 1 to 10,000 hundredths of a per cent.
    error ShareOutOfRange(uint256 term, uint32 shareBps);
    /// @notice A term has 60 decimals at most.
    error TooManyDecimals(uint256 term, uint8 decimals);
    /// @notice The data of a source of this term is not `abi.encode` of its kind's struct.
    error SourceNotCanonical(uint256 term, SourceKind kind);
    /// @notice A source of this term has an address without code.
    error SourceNotAContract(uint256 term, address account);
    /// @notice A feed's `maxAge` is zero.
    error NoMaxAge(uint256 term);
    /// @notice The feed does not tell this contract the first round of the phase: it has not begun, there is no such phase, or it
    /// answers accounts only.
    error FeedUnreadable(uint256 term, address feed, uint16 phaseId);
    /// @notice The bytes of a storage slot are not 1 to 32 within the slot.
    error FieldOutOfRange(uint256 term, uint8 offset, uint8 width);
    /// @notice A storage slot has 4 guards at most.
    error TooManyGuards(uint256 term, uint256 count);
    /// @notice A call has 256 bytes of call data at most.
    error CallDataTooLong(uint256 term, uint256 length);

    /// @notice Adds a model. By the administrator. Protocols use it when their task policy names it.
    /// @return modelHash `keccak256(abi.encode(model))`.
    function addModel(Model calldata model) external returns (bytes32 modelHash);

    /// @notice Lets new models read the stakes of a registry. By the administrator.
    function allowStakeRegistry(address stakeRegistry) external;

    /// @notice Takes a registry off the allow-list. By the administrator. Models that are there stay as they are.
    function forbidStakeRegistry(address stakeRegistry) external;

    /// @notice Reverts with what is wrong with a model, if anything is; whether it has been added is not asked.
    /// @return provable As isProvable would say.
    function checkModel(Model calldata model) external view returns (bool provable);

    function exists(bytes32 modelHash) external view returns (bool);

    /// @notice A model. Reverts with UnknownModel if there is none of this hash.
    function getModel(bytes32 modelHash) external view returns (Model memory);

    /// @notice Whether everything that the model reads can be proved on chain: it makes no view calls. Reverts with
    /// UnknownModel if there is none of this hash.
    function isProvable(bytes32 modelHash) external view returns (bool);

    /// @notice Whether new models may read this registry's stakes.
    function isStakeRegistryAllowed(address stakeRegistry) external view returns (bool);

    /// @notice The allow-list of stake registries, in no particular order.
    function allowedStakeRegistries() external view returns (address[] memory);

    /// @notice What follows from what was read: the outcome, and the safety factor if it is `Answer` (else zero).
    function evaluate(ReadTerm[] calldata terms) external pure returns (Outcome outcome, int256 safetyFactor);

    /// @notice The data of a source, encoded anew from what it decodes to. Reverts where it cannot be decoded.
    function canonicalData(Source calldata source) external pure returns (bytes memory);

    /// @notice The most terms that a model may have.
    function MAX_TERMS() external view returns (uint256);

    /// @notice The most storage slots that a model may read, guards included.
    function MAX_SLOTS() external view returns (uint256);
}

//! Sums of signatures over one message: checking them at once, and finding who spoilt them.

use ark_bn254::{Bn254, Fq12, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{CyclotomicMultSubgroup, One, Zero};

use super::batch_sum::batch_sum;
use super::{G1Bytes, HashedMessage, PublicKey, PublicKeyG2, Signature};

/// One operator's part in a sum.
#[derive(Debug, Clone, Copy)]
pub struct Signed {
    /// Its signature.
    pub signature: Signature,
    /// The key that the signature should verify against.
    pub key: PublicKeyG2,
    /// How many times it counts: once per quorum of the task that the operator belongs to (1 to 192).
    pub weight: u8,
}

/// A sum of signatures with the sum of the keys that it verifies under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedSum {
    /// The signatures, each `weight` times.
    pub signature: Signature,
    /// The keys, each `weight` times.
    pub key: PublicKeyG2,
}

impl SignedSum {
    /// Both sums together; they verify where each does. Nothing where they cancel, which no honest sets do.
    pub fn merge(&self, other: &Self) -> Option<Self> {
        let signature = (self.signature.0 + other.signature.0).into_affine();
        let key = (self.key.0 + other.key.0).into_affine();
        let cancels = signature.is_zero() || key.is_zero();
        (!cancels).then_some(Self { signature: Signature(signature), key: PublicKeyG2(key) })
    }
}

/// True where `signature` is a signature of `message` under `key`: `e(signature, -g2) * e(message, key) = 1`.
///
/// One pairing check, about 0.7 ms; both arguments may be sums.
pub fn verify(message: &HashedMessage, signature: &Signature, key: &PublicKeyG2) -> bool {
    pairing_value(message, signature.0, key.0).is_one()
}

/// The sum of signatures, each counted `weight` times. Nothing where the sum is the point at infinity, which no honest
/// set of operators makes.
pub fn sum_signatures(parts: impl IntoIterator<Item = (Signature, u8)>) -> Option<Signature> {
    let points =
        parts.into_iter().flat_map(|(part, weight)| std::iter::repeat_n(part.0, weight.into())).collect();
    let sum = batch_sum(points);
    (!sum.is_zero()).then(|| Signature(sum.into_affine()))
}

/// A sum of public keys, in G1 (what the contract holds for a quorum) and in G2 (what a pairing needs).
///
/// Sum a quorum's keys once, then subtract the few that did not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregateKey {
    g1: G1Affine,
    g2: G2Affine,
}

impl AggregateKey {
    /// The sum of keys, each counted `weight` times.
    pub fn sum<'a>(keys: impl IntoIterator<Item = (&'a PublicKey, u8)>) -> Self {
        let (g1, g2) = unzip_weighted(keys);
        Self { g1: batch_sum(g1).into_affine(), g2: batch_sum(g2).into_affine() }
    }

    /// This sum less some of its keys, each counted `weight` times.
    pub fn without<'a>(&self, keys: impl IntoIterator<Item = (&'a PublicKey, u8)>) -> Self {
        let (g1, g2) = unzip_weighted(keys);
        if g1.is_empty() {
            return *self;
        }
        Self { g1: (-batch_sum(g1) + self.g1).into_affine(), g2: (-batch_sum(g2) + self.g2).into_affine() }
    }

    /// The sum in G1; nothing where it is the point at infinity.
    pub fn g1(&self) -> Option<G1Bytes> {
        (!self.g1.is_zero()).then(|| G1Bytes::from_point(&self.g1))
    }

    /// The sum in G2; nothing where it is the point at infinity, under which any message would verify.
    pub fn g2(&self) -> Option<PublicKeyG2> {
        (!self.g2.is_zero()).then_some(PublicKeyG2(self.g2))
    }
}

fn unzip_weighted<'a>(keys: impl IntoIterator<Item = (&'a PublicKey, u8)>) -> (Vec<G1Affine>, Vec<G2Affine>) {
    keys.into_iter().flat_map(|(key, weight)| std::iter::repeat_n((key.g1, key.g2.0), weight.into())).unzip()
}

/// The places of the parts that spoil the sum, in ascending order; empty where the whole sum verifies.
///
/// Halves the set and reuses what is known: the pairing value of a whole is the product of its halves' values, so the
/// right half's value is the whole's divided by the left's, and costs no pairing. k bad ones among n take about
/// `k * log2(n / k)` pairings. Errors of several parts that cancel in a sum are not found, and do no harm to it.
pub fn find_invalid(message: &HashedMessage, parts: &[Signed]) -> Vec<usize> {
    let mut found = Vec::new();
    if !parts.is_empty() {
        let tree = SumTree::new(parts);
        let whole = tree.value(message, SumTree::ROOT);
        tree.search(message, SumTree::ROOT, whole, &mut found);
    }
    found
}

fn pairing_value(message: &HashedMessage, signature: G1Affine, key: G2Affine) -> Fq12 {
    Bn254::multi_pairing([signature, message.0], [-G2Affine::generator(), key]).0
}

/// The sums of all halves, quarters and so on: node i has the children 2i and 2i + 1, the leaves are the parts.
struct SumTree {
    leaves: usize,
    nodes: Vec<(G1Affine, G2Affine)>,
}

impl SumTree {
    const ROOT: usize = 1;

    fn new(parts: &[Signed]) -> Self {
        let leaves = parts.len().next_power_of_two();
        let mut nodes = vec![(G1Affine::zero(), G2Affine::zero()); 2 * leaves];
        for (node, part) in nodes[leaves..].iter_mut().zip(parts) {
            *node = weighted(part);
        }
        let mut level = leaves / 2;
        while level >= 1 {
            let (signatures, keys): (Vec<G1Projective>, Vec<G2Projective>) = (level..2 * level)
                .map(|i| (nodes[2 * i].0 + nodes[2 * i + 1].0, nodes[2 * i].1 + nodes[2 * i + 1].1))
                .unzip();
            let signatures = G1Projective::normalize_batch(&signatures);
            let keys = G2Projective::normalize_batch(&keys);
            for (node, sums) in nodes[level..].iter_mut().zip(signatures.into_iter().zip(keys)) {
                *node = sums;
            }
            level /= 2;
        }
        Self { leaves, nodes }
    }

    fn value(&self, message: &HashedMessage, node: usize) -> Fq12 {
        pairing_value(message, self.nodes[node].0, self.nodes[node].1)
    }

    /// `value` is the pairing value of `node`.
    fn search(&self, message: &HashedMessage, node: usize, value: Fq12, found: &mut Vec<usize>) {
        if value.is_one() {
            return;
        }
        if node >= self.leaves {
            found.push(node - self.leaves);
            return;
        }
        let left = self.value(message, 2 * node);
        let mut inverse = left;
        inverse.cyclotomic_inverse_in_place();
        self.search(message, 2 * node, left, found);
        self.search(message, 2 * node + 1, value * inverse, found);
    }
}

fn weighted(part: &Signed) -> (G1Affine, G2Affine) {
    match part.weight {
        1 => (part.signature.0, part.key.0),
        weight => {
            let factor = ark_bn254::Fr::from(weight);
            ((part.signature.0 * factor).into_affine(), (part.key.0 * factor).into_affine())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bls::{SecretKey, hash_to_g1};
    use proptest::prelude::*;

    fn message() -> HashedMessage {
        hash_to_g1([3; 32].into())
    }

    fn secret(i: usize) -> SecretKey {
        SecretKey::from_hex(&format!("{:x}", i + 1)).unwrap()
    }

    fn signed(i: usize, bad: bool, weight: u8) -> Signed {
        let signer = if bad { secret(i + 1000) } else { secret(i) };
        Signed { signature: signer.sign(&message()), key: secret(i).public_key().g2(), weight }
    }

    #[test]
    fn one_signature_verifies_under_its_key_only() {
        let part = signed(0, false, 1);
        assert!(verify(&message(), &part.signature, &part.key));
        assert!(!verify(&hash_to_g1([4; 32].into()), &part.signature, &part.key));
        assert!(!verify(&message(), &part.signature, &secret(1).public_key().g2()));
    }

    #[test]
    fn a_weighted_sum_verifies_under_the_weighted_apk() {
        let keys: Vec<_> = (0..5).map(|i| secret(i).public_key()).collect();
        let weights = [1, 2, 1, 3, 1];
        let sum = sum_signatures((0..4).map(|i| (secret(i).sign(&message()), weights[i]))).unwrap();
        let apk = AggregateKey::sum(keys.iter().zip(weights)).without([(&keys[4], 1)]);
        assert!(verify(&message(), &sum, &apk.g2().unwrap()));
        assert!(PublicKey::new(apk.g1().unwrap(), apk.g2().unwrap().to_bytes()).is_ok());
    }

    #[test]
    fn all_keys_less_all_keys_is_no_key() {
        let key = secret(0).public_key();
        let nothing = AggregateKey::sum([(&key, 1)]).without([(&key, 1)]);
        assert_eq!((nothing.g1(), nothing.g2()), (None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn finds_exactly_the_bad_ones(parts in prop::collection::vec((any::<bool>(), 1u8..4), 0..20)) {
            let set: Vec<_> = parts.iter().enumerate().map(|(i, (bad, weight))| signed(i, *bad, *weight)).collect();
            let expected: Vec<_> = (0..parts.len()).filter(|i| parts[*i].0).collect();
            prop_assert_eq!(find_invalid(&message(), &set), expected);
        }
    }
}

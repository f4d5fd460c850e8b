//! How old an open task can be where governance has changed the response window.

/// How far back response windows are looked at: more than the longest one that the contract takes.
const OLDEST: u64 = 1 << 17;

/// The block `from`, and others each twice as far from the head as the one before: a window that held for at least its own
/// length is met so.
pub(super) fn looked_at(head: u64, from: u64) -> Vec<u64> {
    let nearest = head.saturating_sub(from).max(1);
    let farther = std::iter::successors(Some(nearest), |distance| distance.checked_mul(2));
    let farther = farther.take_while(|distance| *distance <= OLDEST);
    std::iter::once(from).chain(farther.skip(1).map_while(|distance| head.checked_sub(distance))).collect()
}

/// The longest window of a task that may still be open at `head`.
pub(super) fn longest_of_open(head: u64, windows: &[(u64, u64)]) -> u64 {
    let mut nearer = 0;
    let mut longest = 0;
    for (created, window) in windows {
        if *window >= nearer {
            longest = longest.max(*window);
        }
        nearer = head.saturating_sub(*created);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_farther_and_farther_back_are_looked_at() {
        assert_eq!(looked_at(1_000, 906), [906, 812, 624, 248]);
        assert_eq!(looked_at(5, 0), [0]);
        assert_eq!(looked_at(0, 0), [0]);
        assert!(looked_at(10_000_000, 9_999_900).len() < 13);
    }

    #[test]
    fn a_window_counts_where_a_task_of_its_time_may_be_open() {
        let windows = [(906, 30), (812, 500), (624, 100), (248, 400)];
        assert_eq!(longest_of_open(1_000, &windows), 500);
        assert_eq!(longest_of_open(1_000, &[(906, 30), (812, 90), (624, 100)]), 30, "those are over");
    }
}

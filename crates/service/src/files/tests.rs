//! What must hold of transfers.

use super::serve::range_of;

/// Resumed downloads begin where they broke off; nonsense gives the whole file.
#[test]
fn ranges() {
    assert_eq!(range_of("bytes=0-3", 10), Some((0, 3)));
    assert_eq!(range_of("bytes=4-", 10), Some((4, 9)));
    assert_eq!(range_of("bytes=-4", 10), Some((6, 9)));
    assert_eq!(range_of("bytes=4-99", 10), Some((4, 9)));
    for nonsense in ["", "bytes", "bytes=", "bytes=-", "bytes=9-4", "bytes=10-", "bytes=-11", "bytes=a-b", "items=0-1"]
    {
        assert_eq!(range_of(nonsense, 10), None, "{nonsense}");
    }
    assert_eq!(range_of("bytes=0-", 0), None);
}

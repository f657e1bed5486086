use super::*;

#[test]
fn groups_end_between_symbols_where_they_can() {
    let sizes = |symbols: &[usize]| Vec::from(group_sizes(symbols.iter().copied(), 100));
    assert_eq!(sizes(&[]), [0; 0]);
    assert_eq!(sizes(&[40, 40, 40]), [80, 40]);
    assert_eq!(sizes(&[10, 250, 10]), [100, 100, 70]);
    assert_eq!(sizes(&[30, 250, 10]), [30, 100, 100, 60]);
    assert_eq!(sizes(&[100, 100]), [100, 100]);
}

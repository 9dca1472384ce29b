//! How many columns a terminal takes for a text, so that a caret stands under what it means.

/// Letters that are two columns wide: East Asian ones, full-width forms, pictures.
const WIDE: [(u32, u32); 9] = [
    (0x1100, 0x115F),
    (0x2E80, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

/// Marks that stand on the letter before, and what joins letters.
const NONE: [(u32, u32); 5] =
    [(0x0300, 0x036F), (0x200B, 0x200F), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F)];

/// The columns of some characters.
pub(crate) fn columns(characters: impl IntoIterator<Item = char>) -> usize {
    characters.into_iter().map(columns_of).sum()
}

fn columns_of(character: char) -> usize {
    let is_in = |ranges: &[(u32, u32)]| {
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(character)))
    };
    match character {
        _ if is_in(&NONE) => 0,
        _ if is_in(&WIDE) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn wide_letters_take_two_columns_and_marks_none() {
        for (text, wide) in
            [("abc", 3), ("über", 4), ("u\u{308}ber", 4), ("部屋", 4), ("한글", 4), ("🌊", 2), ("", 0)]
        {
            assert_eq!(columns(text.chars()), wide, "{text}");
        }
    }
}

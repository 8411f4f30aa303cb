//! The POSIX shell's quoting.

/// Text as one word: as it is if nothing in it is special, else in single quotes.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Text inside of double quotes, or of a here-document whose delimiter is not quoted.
pub fn inside_quotes(text: &str, special: &[char]) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

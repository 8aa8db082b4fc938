//! A hash for names of files: the same in every build, and short enough for a socket's path.
//!
//! It must not be used for anything an attacker could gain from.

/// FNV-1a over several parts, kept apart from each other.
#[derive(Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(mut self, part: impl AsRef<[u8]>) -> Hash {
        let part = part.as_ref();
        let length = (part.len() as u64).to_le_bytes();
        for byte in length.iter().chain(part) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    /// Eight hexadecimal digits.
    pub(super) fn name(self) -> String {
        format!("{:08x}", self.short())
    }

    /// What the digits say.
    pub(crate) fn short(self) -> u32 {
        u32::try_from((self.0 >> 32) ^ (self.0 & 0xffff_ffff)).unwrap_or_default()
    }
}

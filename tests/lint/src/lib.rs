//! What only tests share: nothing is here to be used by others.

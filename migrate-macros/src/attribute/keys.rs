//! `key = value, key(list)` as it was typed, and the complaints about it.
//!
//! Owns the grammar that all our attributes share. Which keys there are is the caller's to say; whatever is
//! wrong is told at once, each at its place.

use migrate_core::nearest;
use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Ident, LitBool, LitInt, LitStr, Path, Result, Token};

/// One `key = value`, `key(list)` or bare `key`.
struct Pair {
    key: Ident,
    value: Value,
}

enum Value {
    Text(LitStr),
    Number(LitInt),
    Truth(LitBool),
    Path(Path),
    List(Vec<Path>),
    /// Nothing, or what no key takes.
    Other(TokenStream),
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = Ident::parse_any(input)?;
        let value = if input.peek(syn::token::Paren) {
            list(input)?
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            value(input)?
        } else {
            Value::Other(TokenStream::new())
        };
        Ok(Self { key, value })
    }
}

fn list(input: ParseStream<'_>) -> Result<Value> {
    let content;
    syn::parenthesized!(content in input);
    let paths = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
    Ok(Value::List(paths.into_iter().collect()))
}

fn value(input: ParseStream<'_>) -> Result<Value> {
    let ahead = input.fork();
    let alone = ahead.parse::<proc_macro2::TokenTree>().is_ok() && at_end(&ahead);
    if alone && input.peek(LitStr) {
        input.parse().map(Value::Text)
    } else if alone && input.peek(LitInt) {
        input.parse().map(Value::Number)
    } else if alone && input.peek(LitBool) {
        input.parse().map(Value::Truth)
    } else if let Some(path) = path(input) {
        Ok(Value::Path(path))
    } else {
        rest(input).map(Value::Other)
    }
}

fn path(input: ParseStream<'_>) -> Option<Path> {
    let ahead = input.fork();
    let read = ahead.parse::<Path>().is_ok() && at_end(&ahead);
    read.then(|| input.parse().ok()).flatten()
}

fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// Up to the next comma, so that the keys after it are read all the same.
fn rest(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !at_end(input) {
        tokens.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    Ok(tokens)
}

/// Hands out the values by their keys and gathers what is wrong.
pub(super) struct Keys {
    known: &'static [&'static str],
    pairs: Vec<Pair>,
    error: Option<Error>,
}

impl Keys {
    /// Of `#[name(…)]`, which may stand there more than once.
    pub(super) fn of(attributes: &[Attribute], name: &str, known: &'static [&'static str]) -> Self {
        let mut keys = Self::empty(known);
        for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
            match attribute.parse_args_with(Punctuated::<Pair, Token![,]>::parse_terminated) {
                Ok(pairs) => keys.pairs.extend(pairs),
                Err(error) => keys.complain(error),
            }
        }
        keys.check();
        keys
    }

    /// Of what remains of a macro's arguments.
    pub(super) fn rest(input: ParseStream<'_>, known: &'static [&'static str]) -> Result<Self> {
        let mut keys = Self::empty(known);
        keys.pairs.extend(Punctuated::<Pair, Token![,]>::parse_terminated(input)?);
        keys.check();
        Ok(keys)
    }

    fn empty(known: &'static [&'static str]) -> Self {
        let (pairs, error) = (Vec::new(), None);
        Self { known, pairs, error }
    }

    /// Unknown keys, and known ones that stand there twice.
    fn check(&mut self) {
        let mut seen: Vec<String> = Vec::new();
        let mut complaints = Vec::new();
        for Pair { key, .. } in &self.pairs {
            let name = key.to_string();
            if !self.known.contains(&name.as_str()) {
                complaints.push(Error::new(key.span(), unknown(&name, self.known)));
            } else if seen.contains(&name) {
                complaints.push(Error::new(key.span(), format!("`{name}` is given twice")));
            }
            seen.push(name);
        }
        complaints.into_iter().for_each(|error| self.complain(error));
    }

    pub(super) fn complain(&mut self, error: Error) {
        match &mut self.error {
            Some(first) => first.combine(error),
            None => self.error = Some(error),
        }
    }

    /// Where a key was typed, for complaints about its company.
    pub(super) fn place(&self, key: &str) -> Option<Span> {
        let pair = self.pairs.iter().find(|pair| pair.key == key);
        pair.map(|pair| pair.key.span())
    }

    pub(super) fn text(&mut self, key: &str) -> Option<LitStr> {
        let form = format!("a string, as in `{key} = \"…\"`");
        self.take(key, &form, |value| match value {
            Value::Text(text) => Ok(text),
            other => Err(other),
        })
    }

    pub(super) fn number(&mut self, key: &str) -> Option<LitInt> {
        self.take(key, "a whole number", |value| match value {
            Value::Number(number) => Ok(number),
            other => Err(other),
        })
    }

    pub(super) fn truth(&mut self, key: &str) -> Option<bool> {
        self.take(key, "`true` or `false`", |value| match value {
            Value::Truth(truth) => Ok(truth.value),
            other => Err(other),
        })
    }

    pub(super) fn path(&mut self, key: &str) -> Option<Path> {
        let form = "the path of an async function, without quotes";
        self.take(key, form, |value| match value {
            Value::Path(path) => Ok(path),
            other => Err(other),
        })
    }

    pub(super) fn list(&mut self, key: &str) -> Option<Vec<Path>> {
        let form = "a list of types, as in `code(FillNames, other::Thing)`";
        self.take(key, form, |value| match value {
            Value::List(paths) => Ok(paths),
            other => Err(other),
        })
    }

    /// One of a few words, each with its meaning.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(word, _)| *word == text.value());
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            let message = format!("`{key}` is one of {}", words.join(", "));
            self.complain(Error::new(text.span(), message));
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A text that something else can read.
    pub(super) fn read<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        read: impl Fn(&str) -> std::result::Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key)?;
        let found = read(&text.value());
        found.map_err(|error| self.complain(Error::new(text.span(), error))).ok()
    }

    /// The key stays, so that its place can still be asked for.
    fn take<T>(
        &mut self,
        key: &str,
        form: &str,
        of: impl FnOnce(Value) -> std::result::Result<T, Value>,
    ) -> Option<T> {
        let pair = self.pairs.iter_mut().find(|pair| pair.key == key)?;
        let value = std::mem::replace(&mut pair.value, Value::Other(TokenStream::new()));
        let place = pair.key.span();
        let wrong = |value: Value| value.complaint(place, format!("`{key}` is {form}"));
        of(value).map_err(|value| self.complain(wrong(value))).ok()
    }

    /// What is wrong so far, as the only way to an end.
    pub(super) fn finish(self) -> Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}

impl Value {
    fn complaint(&self, key: Span, message: String) -> Error {
        match self {
            Value::Text(text) => Error::new(text.span(), message),
            Value::Number(number) => Error::new(number.span(), message),
            Value::Truth(truth) => Error::new(truth.span(), message),
            Value::Path(path) => Error::new_spanned(path, message),
            Value::Other(tokens) if !tokens.is_empty() => Error::new_spanned(tokens, message),
            Value::List(_) | Value::Other(_) => Error::new(key, message),
        }
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(key) => format!("unknown key `{name}`; did you mean `{key}`?"),
        None => format!("unknown key `{name}`; known keys: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let known = ["dir", "down", "build_script"];
        assert_eq!(
            unknown("buildscript", &known),
            "unknown key `buildscript`; did you mean `build_script`?"
        );
        assert_eq!(
            unknown("somewhere", &known),
            "unknown key `somewhere`; known keys: dir, down, build_script"
        );
    }
}

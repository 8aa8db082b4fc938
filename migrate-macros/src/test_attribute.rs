//! The attribute of `migrate-testing`: a test that gets a database.
//!
//! It stays with tokens: nothing of the function has to be understood but its name, and where its result and
//! its body are. Owns how the options are written; what they mean is said by `migrate_testing::attribute`.

use proc_macro::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

/// What is wrong, and where.
struct Mistake(Span, &'static str);

/// Makes a test of `item`.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let test = Function::parse(item.clone()).and_then(|function| {
        let wish = wish(arguments)?;
        Ok(function.into_test(wish))
    });
    // The function itself stays, so that what is called elsewhere is not missed as well.
    test.unwrap_or_else(|mistake| [mistake.into_error(), item].into_iter().collect())
}

impl Mistake {
    fn into_error(self) -> TokenStream {
        let error = code(&format!("::core::compile_error!({:?});", self.1));
        error.into_iter().map(|token| placed(token, self.0)).collect()
    }
}

/// An asynchronous function, cut where the test needs it.
struct Function {
    attributes: TokenStream,
    /// `async fn name(db: TestDatabase) -> Result<(), Error> { … }`
    whole: TokenStream,
    name: TokenTree,
    /// `-> Result<(), Error>`
    result: TokenStream,
}

impl Function {
    fn parse(item: TokenStream) -> Result<Function, Mistake> {
        let tokens: Vec<TokenTree> = item.into_iter().collect();
        let start = after_attributes(&tokens);
        let (attributes, whole) = tokens.split_at_checked(start).unwrap_or((&tokens, &[]));
        let keyword = whole.iter().position(|token| is_word(token, "fn"));
        let (before, signature) =
            keyword.and_then(|at| whole.split_at_checked(at)).ok_or_else(not_async)?;
        if !before.iter().any(|token| is_word(token, "async")) {
            return Err(not_async());
        }
        let ([_, name, parameters, result @ .., _body], true) =
            (signature, !signature.iter().any(|token| is_word(token, "where")))
        else {
            return Err(not_async());
        };
        one_argument(parameters)?;
        Ok(Function {
            attributes: attributes.iter().cloned().collect(),
            whole: whole.iter().cloned().collect(),
            name: name.clone(),
            result: result.iter().cloned().collect(),
        })
    }

    fn into_test(self, wish: TokenStream) -> TokenStream {
        let wish = if self.should_panic() { call("expendable", wish) } else { wish };
        let name = TokenStream::from(self.name);
        let arguments: TokenStream = [wish, code(","), name.clone()].into_iter().collect();
        let body = [self.whole, call("run", arguments)].into_iter().collect();
        let body = TokenTree::from(Group::new(Delimiter::Brace, body)).into();
        let head = code("#[::core::prelude::v1::test]");
        let parts = [head, self.attributes, code("fn"), name, code("()"), self.result, body];
        parts.into_iter().collect()
    }

    fn should_panic(&self) -> bool {
        let brackets = self.attributes.clone().into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => group.stream().into_iter().next(),
            _ => None,
        });
        brackets.into_iter().any(|first| is_word(&first, "should_panic"))
    }
}

/// A function of `migrate_testing::attribute`, called.
fn call(function: &str, arguments: TokenStream) -> TokenStream {
    let function = code(&format!("::migrate_testing::attribute::{function}"));
    [function, parenthesised(arguments)].into_iter().collect()
}

fn not_async() -> Mistake {
    Mistake(
        Span::call_site(),
        "a test with a database is an `async fn` with one argument, without generics: \
         `async fn it_works(db: TestDatabase) { … }`",
    )
}

fn one_argument(parameters: &TokenTree) -> Result<(), Mistake> {
    match parameters {
        TokenTree::Group(group)
            if group.delimiter() == Delimiter::Parenthesis && !group.stream().is_empty() =>
        {
            Ok(())
        }
        other => Err(Mistake(
            other.span(),
            "the test has to take its database: `db: TestDatabase` or `pool: PgPool`",
        )),
    }
}

/// Where the item begins: behind pairs of `#` and a bracket.
fn after_attributes(tokens: &[TokenTree]) -> usize {
    let is_pair =
        |pair: &[TokenTree]| matches!(pair, [TokenTree::Punct(hash), _] if hash.as_char() == '#');
    tokens.chunks(2).take_while(|pair| is_pair(pair)).count() * 2
}

/// `AppMigrations, up_to = 3` as a call of the builder.
fn wish(arguments: TokenStream) -> Result<TokenStream, Mistake> {
    let arguments: Vec<TokenTree> = arguments.into_iter().collect();
    let mut arguments =
        arguments.split(|token| is_punctuation(token, ',')).filter(|part| !part.is_empty());
    let Some(migrations) = arguments.next() else {
        return Ok(call("empty", TokenStream::new()));
    };
    if let [option, equals, ..] = migrations
        && is_punctuation(equals, '=')
    {
        return Err(Mistake(option.span(), "the migrations come first: `test(AppMigrations, …)`"));
    }
    let migrations = migrations.iter().cloned().collect();
    let start = [code("::migrate_testing::TestDatabase::builder"), parenthesised(migrations)];
    arguments.try_fold(start.into_iter().collect(), with_option)
}

fn with_option(wish: TokenStream, option: &[TokenTree]) -> Result<TokenStream, Mistake> {
    let (function, values) = match option {
        [name, equals, version] if is_word(name, "up_to") && is_punctuation(equals, '=') => {
            ("up_to", TokenStream::from(version.clone()))
        }
        [name, equals, version, phase]
            if is_word(name, "stop_before") && is_punctuation(equals, '=') =>
        {
            (
                "stop_before",
                [version.clone().into(), code(","), self::phase(phase)?].into_iter().collect(),
            )
        }
        _ => {
            return Err(Mistake(
                option.first().map_or_else(Span::call_site, TokenTree::span),
                "an option is `up_to = 20261121093000` or `stop_before = 20261121093000 contract`",
            ));
        }
    };
    Ok(call(function, [wish, code(","), values].into_iter().collect()))
}

fn phase(word: &TokenTree) -> Result<TokenStream, Mistake> {
    let variant = match word.to_string().as_str() {
        "expand" => "Expand",
        "migrate" => "Migrate",
        "contract" => "Contract",
        _ => return Err(Mistake(word.span(), "a phase is `expand`, `migrate` or `contract`")),
    };
    Ok(code(&format!("::migrate_testing::attribute::Phase::{variant}")))
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident.to_string() == word)
}

fn is_punctuation(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct)
        if punct.as_char() == character && punct.spacing() == Spacing::Alone)
}

/// Our own text, which is Rust.
fn code(text: &str) -> TokenStream {
    text.parse().unwrap_or_default()
}

fn parenthesised(tokens: TokenStream) -> TokenStream {
    TokenTree::from(Group::new(Delimiter::Parenthesis, tokens)).into()
}

fn placed(mut token: TokenTree, span: Span) -> TokenTree {
    if let TokenTree::Group(group) = &token {
        let inner = group.stream().into_iter().map(|token| placed(token, span)).collect();
        token = Group::new(group.delimiter(), inner).into();
    }
    token.set_span(span);
    token
}

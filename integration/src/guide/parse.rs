//! Reading a guide.

use std::path::PathBuf;

/// What a guide has its reader do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line in the guide, from 1.
    pub line: usize,
    /// What.
    pub action: Action,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A block of code.
    Block(Block),
    /// Ctrl-C in the terminal of the latest background command.
    Interrupt,
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The language behind the fence: `sh`, `toml`, `solidity`.
    pub language: String,
    /// What the comment before it says.
    pub directives: Vec<Directive>,
    /// What is between the fences, with its last line end.
    pub text: String,
}

/// What a comment tells the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// `background until TEXT`
    Background(String),
    /// `again`
    Again,
    /// `exits N`
    Exits(i32),
    /// `prints TEXT`
    Prints(String),
    /// `file PATH`
    File(PathBuf),
    /// `source PATH`
    Source(PathBuf),
    /// `elsewhere NAME`
    Elsewhere(String),
}

/// A guide that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GuideError {
    /// A comment that means nothing.
    #[error("line {line}: no directive is called {text:?}; integration/src/guide/mod.rs lists them")]
    Directive {
        /// The line in the guide.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// A fence without its end.
    #[error("line {0}: the block has no end")]
    Open(usize),
}

impl Guide {
    /// Reads a guide's text.
    ///
    /// # Errors
    /// Where it is no guide.
    pub fn parse(text: &str) -> Result<Self, GuideError> {
        let mut steps = Vec::new();
        let mut directives = Vec::new();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, content)) = lines.next() {
            if let Some(comment) = comment(content) {
                if comment == "interrupt" {
                    steps.push(Step { line, action: Action::Interrupt });
                } else {
                    directives = comment
                        .split(';')
                        .map(|one| directive(line, one.trim()))
                        .collect::<Result<_, _>>()?;
                }
            } else if let Some(fence) = fence(content) {
                let text = block(&mut lines, fence).ok_or(GuideError::Open(line))?;
                let language = fence.language.to_owned();
                let block = Block { language, directives: std::mem::take(&mut directives), text };
                steps.push(Step { line, action: Action::Block(block) });
            }
        }
        Ok(Self { steps })
    }
}

#[derive(Clone, Copy)]
struct Fence<'a> {
    indent: usize,
    language: &'a str,
}

/// A block may stand in a list, and is indented then.
fn fence(line: &str) -> Option<Fence<'_>> {
    let trimmed = line.trim_start();
    let language = trimmed.strip_prefix("```")?.trim();
    Some(Fence { indent: line.len() - trimmed.len(), language })
}

fn block<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, fence: Fence<'_>) -> Option<String> {
    let mut text = String::new();
    for (_, line) in lines {
        if line.trim() == "```" {
            return Some(text);
        }
        let indent = line.len() - line.trim_start().len();
        text += &line[indent.min(fence.indent)..];
        text.push('\n');
    }
    None
}

fn comment(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("<!-- test:")?.strip_suffix("-->")?.trim())
}

fn directive(line: usize, text: &str) -> Result<Directive, GuideError> {
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let unknown = || GuideError::Directive { line, text: text.to_owned() };
    Ok(match name {
        "again" if rest.is_empty() => Directive::Again,
        "background" => Directive::Background(rest.strip_prefix("until ").ok_or_else(unknown)?.to_owned()),
        "exits" => Directive::Exits(rest.parse().map_err(|_| unknown())?),
        "prints" => Directive::Prints(rest.to_owned()),
        "file" => Directive::File(rest.into()),
        "source" => Directive::Source(rest.into()),
        "elsewhere" => Directive::Elsewhere(rest.to_owned()),
        _ => return Err(unknown()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        let only = |step: Step| match step.action {
            Action::Block(block) => Some(block),
            Action::Interrupt => None,
        };
        Guide::parse(text).unwrap().steps.into_iter().filter_map(only).collect()
    }

    #[test]
    fn blocks_come_with_what_the_comment_before_them_says() {
        let text = "# A\n\n<!-- test: exits 3; prints not yet -->\n```sh\na\nb\n```\n\n```text\nc\n```\n";
        let [first, second] = &blocks(text)[..] else { unreachable!() };
        assert_eq!((first.language.as_str(), first.text.as_str()), ("sh", "a\nb\n"));
        assert_eq!(first.directives, [Directive::Exits(3), Directive::Prints("not yet".into())]);
        assert_eq!((second.language.as_str(), second.directives.len()), ("text", 0));
    }

    #[test]
    fn a_block_in_a_list_loses_its_indentation_and_no_more() {
        let text = "1. Do\n   ```sh\n   if a; then\n     b\n   fi\n   ```\n";
        assert_eq!(blocks(text)[0].text, "if a; then\n  b\nfi\n");
    }

    #[test]
    fn a_directive_that_is_not_known_and_a_block_without_an_end_are_errors() {
        let error = Guide::parse("\n<!-- test: exit 3 -->\n").unwrap_err();
        assert!(matches!(error, GuideError::Directive { line: 2, .. }), "{error}");
        assert!(matches!(Guide::parse("```sh\na\n").unwrap_err(), GuideError::Open(1)));
    }
}

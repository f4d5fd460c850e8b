//! Guides are programs: every command in one is executed by a test, in a shell, as a reader would.
//!
//! A guide is Markdown. Blocks of `sh` are executed in order, in one shell, so that `export` and `cd` last. A comment
//! before a block tells the test what a reader knows anyway; directives are separated by semicolons:
//!
//! | `<!-- test: … -->` | means |
//! | --- | --- |
//! | `background until TEXT` | the command goes on; wait until it prints TEXT |
//! | `again` | repeat until it succeeds: what it asks for takes some blocks |
//! | `exits N` | it ends with that code |
//! | `prints TEXT` | its output has TEXT in it |
//! | `file PATH` | the block is the content of that file |
//! | `source PATH` | the block is a part of that file of the repository, which another test compiles and runs |
//! | `elsewhere NAME` | the test of that name executes it |
//! | `interrupt` | (before no block) press Ctrl-C where the latest background command runs |

mod parse;
mod shell;

pub use parse::{Action, Block, Directive, Guide, GuideError, Step};
pub use shell::{Shell, ShellError};

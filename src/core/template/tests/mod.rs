//! Every sentence of `docs/templates.md` on syntax.

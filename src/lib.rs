//! meshlab: from one small blueprint to everything that a multi-cluster Istio lab needs in Git.
//!
//! Values flow one way: load → resolve → complete → plan → render → diff → write.
//!
//! - [`core`] is pure: no file system, process, environment, clock, randomness or terminal, and it never sees a private key.
//! - [`edge`] touches the world: files, keys, the tree on disk. Edges do not call each other.
//! - [`command`] composes the two; reading [`command::render`] shows every step on one screen.

pub mod command;
pub mod core;
pub mod edge;

//! Bad blueprints and components as folders of `tests/bad/`: the golden is everything that a person reads about them.
//!
//! A case is `blueprints/lab.yaml`, with components or lab-level templates of its own if it is about those. Nothing may be written.

use crate::support::{Scratch, each_case, golden};

#[test]
fn every_refusal_says_what_its_golden_says() {
    each_case("bad", |name, folder| {
        let scratch = Scratch::of_case(folder);
        let before = scratch.files("");
        let validate = scratch.run("validate");
        assert_eq!(scratch.files(""), before, "{name}: validate wrote something");
        let render = scratch.run("render");
        assert_eq!(render.code, Some(2), "{name}: {}", render.stderr);
        assert!(!scratch.exists("out"), "{name}: a refused lab has a tree");
        assert_eq!(render.stdout, "", "{name}");
        let mut text = render.transcript();
        text += "\n";
        text += &if validate.stderr == render.stderr && validate.code == render.code {
            "$ meshlab validate\nthe same\n".to_owned()
        } else {
            validate.transcript()
        };
        for secret in ["hunter2", "donotshowthis"] {
            assert!(!text.contains(secret), "{name} shows a secret");
        }
        golden(folder, &text);
    });
}

//! Machines outside of Kubernetes: what programs are told to deliver is in the tree, and the machine takes it up.

use std::fs;

use meshlab::core::lab::{FILES, ONBOARD, TOKEN, TOKEN_AUDIENCE};

use crate::support::root;

#[test]
fn what_is_delivered_is_rendered_and_taken_up() {
    let folder = root().join("out/multi-primary-mesh/vms/virt-01");
    let machine = fs::read_to_string(folder.join("cloud-init.yaml")).unwrap();
    let page = fs::read_to_string(root().join("docs/labs/multi-primary-mesh.md")).unwrap();
    let runbook = fs::read_to_string(root().join("out/multi-primary-mesh/README.md")).unwrap();
    for delivery in FILES {
        assert!(
            folder.join(delivery.file).is_file(),
            "{} is not rendered",
            delivery.file
        );
        assert!(machine.contains(delivery.path), "nobody takes up {}", delivery.path);
        assert!(
            page.contains(&format!("| `{}` | `{}` |", delivery.file, delivery.path)),
            "{}",
            delivery.file
        );
        assert!(runbook.contains(delivery.path), "{}", delivery.path);
    }
    let rendered = fs::read_dir(&folder).unwrap().count();
    assert_eq!(
        rendered,
        FILES.len() + 1,
        "a file of a machine is neither delivered nor its cloud-init"
    );
    for fact in [TOKEN, ONBOARD] {
        assert!(
            machine.contains(fact) && page.contains(fact) && runbook.contains(fact),
            "{fact}"
        );
    }
    assert!(runbook.contains(&format!("--audience {TOKEN_AUDIENCE}")));
}

//! `meshlab components --rules`: what the components of the catalog refuse, and of what they warn.

use serde::Serialize;

use crate::command::print::markdown_table;
use crate::core::catalog::Catalog;

/// One rule of a component.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    /// Of a warning: that by which a blueprint allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    component: &'a str,
    /// Of a warning: where it is met. Of a refusal: what must hold.
    when: &'a str,
    say: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

/// Warnings by code, then refusals by component.
pub(super) fn rows(catalog: &Catalog) -> Vec<Row<'_>> {
    let warnings = catalog.limits().into_iter().map(|(component, limit)| Row {
        code: Some(&limit.code),
        component: component.name.as_str(),
        when: limit.when.text(),
        say: &limit.say,
        link: Some(&limit.link),
    });
    let refusals = catalog.iter().flat_map(|component| {
        component.file.assert.iter().map(|one| Row {
            code: None,
            component: component.name.as_str(),
            when: &one.that,
            say: &one.say,
            link: None,
        })
    });
    warnings.chain(refusals).collect()
}

/// Two tables.
pub(super) fn markdown(catalog: &Catalog) -> String {
    let (warnings, refusals): (Vec<_>, Vec<_>) = rows(catalog).into_iter().partition(|row| row.code.is_some());
    let warned = warnings.iter().map(|row| {
        let link = row.link.unwrap_or_default();
        [
            row.code.unwrap_or_default().to_owned(),
            format!("`{}`", row.component),
            format!("{} ([upstream]({link}))", row.say),
            format!("`{}`", row.when),
        ]
    });
    let refused = refusals.iter().map(|row| {
        [
            format!("`{}`", row.component),
            row.say.to_owned(),
            format!("`{}`", row.when),
        ]
    });
    format!(
        "{}\n{}",
        markdown_table(["warning", "of", "says", "where"], warned),
        markdown_table(["refusal of", "says", "unless"], refused)
    )
}

//! Which licences a dependency may have.

use spdx::{Expression, ParseMode};

use super::Component;

/// Licences that let an Apache-2.0 program contain the work, as SPDX names them. MPL-2.0 is per file and leaves the
/// rest of the program alone; PSF-2.0, Python's own, asks for its notice and no more.
const ALLOWED: [&str; 18] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "PSF-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Why the component may not be used, in a sentence that names it; nothing when it may.
pub fn objection(component: &Component) -> Option<String> {
    let what = format!("{} {} {}", component.kind, component.name, component.version);
    if component.licence.is_empty() {
        return Some(format!("{what}: no licence that is known here"));
    }
    // Older manifests separate alternatives by a slash.
    match Expression::parse_mode(&component.licence, ParseMode::LAX) {
        Ok(expression)
            if expression.evaluate(|required| ALLOWED.contains(&required.to_string().as_str())) =>
        {
            None
        }
        Ok(_) => Some(format!("{what}: {}", component.licence)),
        Err(error) => {
            Some(format!("{what}: {:?} is not an SPDX expression ({})", component.licence, error.reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licensed(licence: &str) -> Component {
        Component {
            kind: "crate",
            name: "somecrate".into(),
            version: "1.2.3".into(),
            licence: licence.into(),
            bundled: true,
            texts: Vec::new(),
        }
    }

    #[test]
    fn one_allowed_alternative_suffices_and_every_conjunct_is_needed() {
        let accepted = [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ];
        for licence in accepted {
            assert_eq!(objection(&licensed(licence)), None, "{licence}");
        }
        let refused =
            ["GPL-3.0-only", "MIT AND GPL-2.0-or-later", "LGPL-2.1-or-later", "GPL-2.0 WITH LLVM-exception"];
        for licence in refused {
            let sentence = objection(&licensed(licence)).expect(licence);
            assert!(sentence.contains("crate somecrate 1.2.3"), "{sentence}");
        }
    }

    #[test]
    fn a_missing_or_unreadable_licence_is_refused_by_name() {
        for licence in ["", "see the file", "MIT OR"] {
            let sentence = objection(&licensed(licence)).expect(licence);
            assert!(sentence.contains("somecrate"), "{sentence}");
        }
    }
}

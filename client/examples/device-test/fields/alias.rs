// SPDX-License-Identifier: MIT OR Apache-2.0
//! ALIAS, and versions in names.

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

/// Makes a sound alias wrong.
type Change = fn(&mut sislm_alias);

pub(super) fn wrong(fields: &mut Fields<'_>) {
    // MODEL is loaded once.
    let first = [MODEL, b"@1"].concat();
    let mut sound = sislm_alias {
        flags: SISLM_ALIAS_SET,
        name: name(b"alias"),
        count: 1,
        ..Default::default()
    };
    sound.targets[0].name = name(&first);
    sound.targets[0].weight = 1;
    let wrong: [(&str, Change); 15] = [
        ("flags", |alias| alias.flags = 2),
        ("pinned", |alias| alias.pinned = 1),
        ("name-empty", |alias| alias.name = [0; 64]),
        ("name-version", |alias| alias.name = name(b"alias@1")),
        ("name-long", |alias| alias.name = name(&[b'a'; 53])),
        ("name-unterminated", |alias| alias.name = [b'a'; 64]),
        ("count", |alias| alias.count = 5),
        ("weight-none", |alias| alias.targets[0].weight = 0),
        ("weight-over", |alias| {
            alias.targets[0].weight = SISLM_WEIGHT_MAX + 1
        }),
        ("target.pad", |alias| alias.targets[0].pad = 1),
        ("target-without-version", |alias| {
            alias.targets[0].name = name(MODEL)
        }),
        ("target-empty", |alias| alias.targets[0].name = [0; 64]),
        ("target-unused-name", |alias| {
            alias.targets[1].name = name(b"a@1")
        }),
        ("target-unused-weight", |alias| alias.targets[3].weight = 1),
        ("target-unused-pad", |alias| alias.targets[2].pad = 1),
    ];
    for (slug, change) in wrong {
        fields.invalid(&format!("alias.{slug}"), SISLM_IOC_ALIAS, &sound, change);
    }
    fields.invalid("alias.target-twice", SISLM_IOC_ALIAS, &sound, |alias| {
        alias.count = 2;
        alias.targets[1] = alias.targets[0];
    });
    let absent: [(&str, Change); 5] = [
        ("target-absent", |alias| {
            alias.targets[0].name = name(b"absent@1")
        }),
        ("target-no-such-version", |alias| {
            alias.targets[0].name = name(&[MODEL, b"@2"].concat())
        }),
        ("unset", |alias| {
            *alias = sislm_alias {
                flags: SISLM_ALIAS_SET,
                name: name(b"alias"),
                ..Default::default()
            }
        }),
        ("name-absent", |alias| {
            *alias = sislm_alias {
                name: name(b"alias"),
                ..Default::default()
            }
        }),
        ("index-past-end", |alias| {
            *alias = sislm_alias {
                index: u32::MAX,
                ..Default::default()
            }
        }),
    ];
    for (slug, change) in absent {
        let name = format!("alias.{slug}");
        fields.wrong(&name, SISLM_IOC_ALIAS, &sound, change, &[Errno::ENOENT]);
    }
    fields.sound("alias", SISLM_IOC_ALIAS, &sound);
    many(fields, &sound);
    let unset = sislm_alias {
        count: 0,
        targets: Default::default(),
        ..sound
    };
    fields.sound("alias-unset", SISLM_IOC_ALIAS, &unset);
    versions(fields, &first);
}

/// As many aliases as can be set, and one more.
fn many(fields: &mut Fields<'_>, sound: &sislm_alias) {
    let set = |fields: &Fields<'_>, place: u32, count: u32| {
        let mut alias = sislm_alias {
            name: name(format!("alias-{place}").as_bytes()),
            count,
            targets: if count == 0 {
                Default::default()
            } else {
                sound.targets
            },
            ..*sound
        };
        call(&fields.file, SISLM_IOC_ALIAS, &mut alias)
    };
    // One is set already.
    let all = (1..64)
        .filter(|place| set(fields, *place, 1).is_ok())
        .count();
    let one_more = set(fields, 64, 1);
    fields.report.equal("fields/alias-64", all, 63);
    fields
        .report
        .refused("fields/alias-too-many", one_more, &[Errno::ENOSPC]);
    let gone = (1..64)
        .filter(|place| set(fields, *place, 0).is_ok())
        .count();
    fields.report.equal("fields/alias-none", gone, 63);
}

/// A version is a part of a name everywhere but where it is given.
fn versions(fields: &mut Fields<'_>, first: &[u8]) {
    let model = |text: &[u8]| sislm_model {
        name: name(text),
        ..Default::default()
    };
    fields.sound("model.name-version", SISLM_IOC_MODEL, &model(first));
    let spelled: [(&str, &[u8]); 6] = [
        ("none", b"fields@"),
        ("zero", b"fields@0"),
        ("zeroes", b"fields@01"),
        ("letters", b"fields@one"),
        ("twice", b"fields@1@1"),
        ("large", b"fields@4294967296"),
    ];
    for (slug, text) in spelled {
        let name = format!("model.name-version-{slug}");
        fields.invalid(&name, SISLM_IOC_MODEL, &model(text), |_| ());
    }
    fields.wrong(
        "model.name-version-absent",
        SISLM_IOC_MODEL,
        &model(b"fields@2"),
        |_| (),
        &[Errno::ENOENT],
    );
}

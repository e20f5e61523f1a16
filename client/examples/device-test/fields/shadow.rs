// SPDX-License-Identifier: MIT OR Apache-2.0
//! SHADOW.

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

/// Makes a sound shadow wrong.
type Change = fn(&mut sislm_shadow);

pub(super) fn wrong(fields: &mut Fields<'_>) {
    // MODEL is loaded once.
    let first = [MODEL, b"@1"].concat();
    let sound = sislm_shadow {
        flags: SISLM_SHADOW_SET,
        alias: name(MODEL),
        shadow: name(&first),
        permille: 1000,
        ..Default::default()
    };
    let wrong: [(&str, Change); 11] = [
        ("flags", |shadow| shadow.flags = 2),
        ("pad", |shadow| shadow.pad = 1),
        ("index", |shadow| shadow.index = 1),
        ("permille", |shadow| shadow.permille = 1001),
        ("alias-empty", |shadow| shadow.alias = [0; 64]),
        ("alias-version", |shadow| shadow.alias = shadow.shadow),
        ("alias-long", |shadow| shadow.alias = name(&[b'a'; 53])),
        ("alias-unterminated", |shadow| shadow.alias = [b'a'; 64]),
        ("without-version", |shadow| shadow.shadow = name(MODEL)),
        ("unterminated", |shadow| shadow.shadow = [b'a'; 64]),
        ("permille-of-none", |shadow| shadow.shadow = [0; 64]),
    ];
    for (slug, change) in wrong {
        fields.invalid(&format!("shadow.{slug}"), SISLM_IOC_SHADOW, &sound, change);
    }
    let absent: [(&str, Change); 7] = [
        ("alias-absent", |shadow| shadow.alias = name(b"absent")),
        ("absent", |shadow| shadow.shadow = name(b"absent@1")),
        ("no-such-version", |shadow| {
            shadow.shadow = name(&[MODEL, b"@2"].concat())
        }),
        ("unset", |shadow| {
            shadow.shadow = [0; 64];
            shadow.permille = 0;
        }),
        ("none", |shadow| *shadow = sislm_shadow::default()),
        ("none-of-alias", |shadow| shadow.flags = 0),
        ("index-past-end", |shadow| {
            *shadow = sislm_shadow {
                index: u32::MAX,
                ..Default::default()
            }
        }),
    ];
    for (slug, change) in absent {
        let name = format!("shadow.{slug}");
        fields.wrong(&name, SISLM_IOC_SHADOW, &sound, change, &[Errno::ENOENT]);
    }
    many(fields, &sound, &first);
    fields.sound("shadow", SISLM_IOC_SHADOW, &sound);
    let told = sislm_shadow::default();
    fields.sound("shadow-told", SISLM_IOC_SHADOW, &told);
    let unset = sislm_shadow {
        shadow: [0; 64],
        permille: 0,
        ..sound
    };
    fields.sound("shadow-unset", SISLM_IOC_SHADOW, &unset);
}

/// As many shadows as can be set, and one more.
fn many(fields: &mut Fields<'_>, sound: &sislm_shadow, first: &[u8]) {
    let alias = |fields: &Fields<'_>, place: u32, count: u32| {
        let mut alias = sislm_alias {
            flags: SISLM_ALIAS_SET,
            name: name(format!("shadow-{place}").as_bytes()),
            count,
            ..Default::default()
        };
        if count != 0 {
            alias.targets[0].name = name(first);
            alias.targets[0].weight = 1;
        }
        call(&fields.file, SISLM_IOC_ALIAS, &mut alias)
    };
    let set = |fields: &Fields<'_>, place: u32| {
        let mut shadow = sislm_shadow {
            alias: name(format!("shadow-{place}").as_bytes()),
            ..*sound
        };
        call(&fields.file, SISLM_IOC_SHADOW, &mut shadow)
    };
    let most = SISLM_SHADOWS_MAX;
    let all = (0..most)
        .filter(|place| alias(fields, *place, 1).is_ok() && set(fields, *place).is_ok())
        .count();
    fields.report.equal("fields/shadow-all", all, most as usize);
    let one_more = call(&fields.file, SISLM_IOC_SHADOW, &mut sound.clone());
    fields
        .report
        .refused("fields/shadow-too-many", one_more, &[Errno::ENOSPC]);
    // They go with their names.
    let gone = (0..most)
        .filter(|place| alias(fields, *place, 0).is_ok())
        .count();
    fields
        .report
        .equal("fields/shadow-none", gone, most as usize);
    let mut left = sislm_shadow::default();
    let left = call(&fields.file, SISLM_IOC_SHADOW, &mut left);
    fields
        .report
        .refused("fields/shadow-gone-with-alias", left, &[Errno::ENOENT]);
}

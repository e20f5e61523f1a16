// SPDX-License-Identifier: MIT OR Apache-2.0
//! The date as templates ask for it: strftime, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// `time` as `format` says; None for a directive that is not known, or a time before 1970.
pub(super) fn strftime(format: &str, time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let month_name = MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let day_name = DAYS.get(usize::try_from(days % 7).ok()?)?;
    let mut text = String::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        text += &match characters.next()? {
            'Y' => year.to_string(),
            'y' => format!("{:02}", year % 100),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'e' => format!("{day:2}"),
            'B' => (*month_name).into(),
            'b' => month_name.chars().take(3).collect(),
            'A' => (*day_name).into(),
            'a' => day_name.chars().take(3).collect(),
            'H' => format!("{hour:02}"),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            '%' => "%".into(),
            _ => return None,
        };
    }
    Some(text)
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March here, so that the leap day is the last; eras are of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64, format: &str) -> Option<String> {
        strftime(format, UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let date = |seconds| at(seconds, "%Y-%m-%d %a %H:%M:%S").unwrap();
        assert_eq!(date(0), "1970-01-01 Thu 00:00:00");
        assert_eq!(date(951_782_399), "2000-02-28 Mon 23:59:59");
        assert_eq!(date(951_782_400), "2000-02-29 Tue 00:00:00");
        assert_eq!(date(1_709_164_800), "2024-02-29 Thu 00:00:00");
        assert_eq!(date(4_107_542_400), "2100-03-01 Mon 00:00:00");
        assert_eq!(date(1_798_761_599), "2026-12-31 Thu 23:59:59");
    }

    #[test]
    fn formats_are_those_of_templates() {
        let time = 1_767_571_200;
        assert_eq!(at(time, "%d %b %Y").unwrap(), "05 Jan 2026");
        assert_eq!(
            at(time, "%A, %e %B %y; 100%%").unwrap(),
            "Monday,  5 January 26; 100%"
        );
        assert_eq!(at(time, "%Q"), None);
        assert_eq!(at(time, "%"), None);
    }
}
